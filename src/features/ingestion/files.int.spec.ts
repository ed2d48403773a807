import { describe, expect, it } from '@jest/globals';
import {
  blobs,
  chunksOf,
  current,
  get,
  inTenant,
  parser,
  reindex,
  remove,
  removeSources,
  rows,
  storedTexts,
  the,
  useIngestion,
  work,
} from '../../../test/factories/ingestion.js';
import { sha256Hex } from '../../kernel/hash.js';
import { documentParserErrors } from '../../platform/document-parser/index.js';
import { AcceptDocument, type Accepted } from './application/accept-document.js';
import { Submissions } from './application/submissions.js';

useIngestion();

const TABLE = 'a,b\r\n';

function upload(content = TABLE, type = 'text/csv', overwrite = false): Promise<Accepted> {
  const file = { name: 'file', contentType: type, bytes: Buffer.from(content) };
  const submission = the(Submissions).ofUpload({ corpusId: current.corpusId, documentId: 'd', overwrite, file });
  return inTenant(() => the(AcceptDocument).accept(submission));
}

const keys = (): string[] =>
  [...blobs.blobs.keys()]
    .filter((key) => key.startsWith(`tenants/${current.tenantId}/`))
    .map((key) => key.slice(key.lastIndexOf('/') + 1));

describe('a file', () => {
  it('is stored as sent and read once, when it is ingested', async () => {
    const key = `${sha256Hex(TABLE)}.csv`;
    expect(await upload()).toMatchObject({ status: 'queued' });
    expect([keys(), storedTexts(), parser.calls]).toEqual([[key], [TABLE], 0]);
    await work();
    expect(await get('d')).toMatchObject({ status: 'succeeded', byteCount: 5, contentSha256: sha256Hex(TABLE) });
    expect([keys(), storedTexts()]).toEqual([
      [key, `${key}.text`],
      [TABLE, 'a,b\n'],
    ]);
    await reindex('d');
    await work();
    expect(await get('d')).toMatchObject({ status: 'succeeded', generation: 2 });
    expect((await chunksOf('d')).map(({ text }) => text)).toEqual(['a,b']);
    expect(parser.calls).toBe(1);
  });

  it('that cannot be read fails at once, with its reason', async () => {
    parser.before = () => Promise.reject(documentParserErrors.FILE_ENCRYPTED());
    await upload();
    await work();
    expect(await get('d')).toMatchObject({
      status: 'failed',
      failureCode: 'FILE_ENCRYPTED',
      failureReason: expect.stringContaining('protected by a password'),
      attempts: 1,
    });
    expect(parser.calls).toBe(1);
  });

  it('is removed with the text that was read from it', async () => {
    await upload();
    await work();
    await remove('d');
    await removeSources();
    expect(keys()).toEqual([]);
  });

  it('is removed with its text when another one takes its place', async () => {
    await upload();
    await work();
    await upload('c,d', 'text/csv', true);
    await work();
    await removeSources();
    expect(storedTexts()).toEqual(['c,d', 'c,d']);
  });

  // The text of a CSV file shown for the HTML file with the same bytes would be the wrong text for ever.
  it('with the same bytes as one of another type is read again', async () => {
    await upload();
    await work();
    await upload(TABLE, 'text/html', true);
    await work();
    await removeSources();
    expect(parser.calls).toBe(2);
    expect(keys().map((key) => key.slice(key.indexOf('.')))).toEqual(['.html', '.html.text']);
  });

  // Text of a document that its owner deleted must not stay behind because a worker was slow.
  it('leaves no text when it was given up, deleted and removed while it was read', async () => {
    await upload();
    parser.before = async () => {
      await rows(`UPDATE documents SET status = 'failed' WHERE tenant_id = $1`);
      await remove('d');
      await removeSources();
      expect(keys()).toEqual([]);
    };
    await work();
    expect(parser.calls).toBe(1);
    await removeSources();
    expect(keys()).toEqual([]);
    expect(await rows(`SELECT FROM document_source_removals WHERE tenant_id = $1`)).toEqual([]);
  });
});
