import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../../src/kernel/hash.js';
import { TestApp } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { RawConnection } from '../pipeline/raw-http.js';
import { uploadMark, uploadsOf } from '../../harness/upload-files.js';
import { formBody, Library, postForm, type Form, type Part } from './library.js';

const MIB = 1024 * 1024;

let app: TestApp;
let library: Library;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nexusrag-ingestion-'));
  app = await TestApp.start({ INGEST_EXECUTION_MODE: 'inline', NEXUSRAG_DATA_DIR: join(folder, 'data') });
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  library = await Library.open(app);
});

/** Every stored blob of the tenant, below its folder. */
function blobs(): string[] {
  const root = join(folder, 'data', 'documents', 'tenants', library.editor.tenantId);
  try {
    return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('~'));
  } catch {
    return [];
  }
}

async function expectRefused(form: Form, status: number, code: string): Promise<void> {
  const response = await library.upload(form);
  expect([response.status, response.body.error?.code]).toEqual([status, code]);
  expect(await library.count('documents')).toBe(0);
  const events = await app.audit(library.editor.tenantId);
  expect(events.filter(({ event_type }) => String(event_type).startsWith('documents.'))).toEqual([]);
  expect(blobs()).toEqual([]);
}

describe('2xx', () => {
  it('202, and the file can be searched', async () => {
    const response = await library.upload({ fields: { document_id: 'd' } }).expect(202);
    expect(response.body.data).toEqual({
      document_id: 'd',
      status: 'succeeded',
      job_id: expect.any(String),
      status_url: '/v1/documents/d',
    });
    expect(response.get('Location')).toBe('/v1/documents/d');
    expect(await library.get('d')).toMatchObject({
      filename: 'notes.txt',
      content_type: 'text/plain',
      ingest_source: 'upload_file',
      num_chunks: 1,
      metadata_json: {},
      labels: {},
    });
    expect(await library.found('krill')).toEqual((await library.chunksOf('d')).map(({ id }) => id));
  });

  it('keeps the text where the tenant, the document and the content say, and nothing else', async () => {
    const content = uploadMark();
    await library.upload({ fields: { document_id: 'd' }, files: [{ content }] }).expect(202);
    const key = library.keyOf('d', sha256Hex(content));
    expect(readFileSync(join(folder, 'data', 'documents', `${key}~`), 'utf8')).toBe(content);
    expect(blobs()).toHaveLength(1);
    await eventually(() => expect(uploadsOf(content)).toEqual([]));
  });

  it('takes fields after the file, metadata and labels', async () => {
    const metadata = { author: 'Ada', labels: { team: 'ice', level: 3 } };
    const fields = { document_id: 'd', overwrite: 'false', metadata_json: JSON.stringify(metadata) };
    await library.upload({ fields, filesFirst: true }).expect(202);
    expect(await library.get('d')).toMatchObject({ metadata_json: metadata, labels: { team: 'ice', level: '3' } });
  });

  it('resets the metadata of a file that is overwritten without any, and keeps its labels', async () => {
    const metadata_json = JSON.stringify({ author: 'Ada', labels: { a: 'b' } });
    await library.upload({ fields: { document_id: 'd', metadata_json } }).expect(202);
    const files = [{ filename: 'second.md', type: 'text/markdown', content: '# Seals' }];
    await library.upload({ fields: { document_id: 'd', overwrite: 'true' }, files }).expect(202);
    expect(await library.get('d')).toMatchObject({
      filename: 'second.md',
      content_type: 'text/markdown',
      metadata_json: {},
      labels: { a: 'b' },
    });
    await eventually(() => expect(blobs()).toHaveLength(1));
    expect(await library.stored('d', sha256Hex('# Seals'))).toBe('# Seals');
  });

  it('200 for the same file again, 409 for another under the same id', async () => {
    const first = await library.upload({ fields: { document_id: 'd' } }).expect(202);
    const again = await library.upload({ fields: { document_id: 'd' }, files: [{ filename: 'b.txt' }] }).expect(200);
    expect(again.body.data.job_id).toBe(first.body.data.job_id);
    const other = await library.upload({ fields: { document_id: 'd' }, files: [{ content: 'Other' }] }).expect(409);
    expect(other.body.error.code).toBe('DOCUMENT_EXISTS');
    expect(blobs()).toHaveLength(1);
  });

  it.each<[string, Part, string, string]>([
    ['a charset', { type: 'text/plain; charset=utf-8' }, 'text/plain', 'Penguins eat krill.'],
    ['upper case', { type: 'Text/PLAIN; Charset="UTF-8"' }, 'text/plain', 'Penguins eat krill.'],
    ['Markdown', { type: 'text/markdown' }, 'text/markdown', 'Penguins eat krill.'],
    ['a byte order mark', { content: Buffer.from('\uFEFFKrill') }, 'text/plain', 'Krill'],
    ['NUL characters', { content: 'Kr\0ill\0' }, 'text/plain', 'Krill'],
    ['CRLF', { content: 'a\r\n\r\nb\rc' }, 'text/plain', 'a\n\nb\nc'],
    ['JSON', { type: 'application/json', content: '{"text":"Krill \\u00e9","more":1}' }, 'application/json', 'Krill é'],
  ])('reads a file with %s', async (_name, file, content_type, text) => {
    await library.upload({ fields: { document_id: 'd' }, files: [file] }).expect(202);
    expect(await library.get('d')).toMatchObject({ status: 'succeeded', content_type });
    expect(await library.stored('d', sha256Hex(text))).toBe(text);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\ada\\notes.txt', 'notes.txt'],
    ['Übersicht – 🐧 日本語.txt', 'Übersicht – 🐧 日本語.txt'],
    [`${'é'.repeat(300)}.txt`, `${'é'.repeat(251)}.txt`],
    ['invoice\u202Etxt.exe', 'invoicetxt.exe'],
    ['50%25.txt', '50%25.txt'],
    ['line%0D%0Abreak %22quoted%22.txt', 'linebreak "quoted".txt'],
    [' ', 'upload'],
  ])('calls %j %j', async (filename, stored) => {
    await library.upload({ fields: { document_id: 'd' }, files: [{ filename }] }).expect(202);
    expect(await library.get('d')).toMatchObject({ filename: stored });
    expect(blobs()).toHaveLength(1);
  });

  // RFC 7578: a part that does not name its type is text.
  it('reads a file without a type as text', async () => {
    const fields = { corpus_id: library.corpusId, document_id: 'd' };
    const form = formBody({ fields }).toString().replace('Content-Type: text/plain\r\n', '');
    await postForm(library.editor, form).expect(202);
    expect(await library.get('d')).toMatchObject({ content_type: 'text/plain' });
  });

  it('takes exactly 10 MiB', async () => {
    const content = 'Krill.'.padEnd(10 * MIB, '\n');
    const response = await library.upload({ fields: { document_id: 'd' }, files: [{ content }] }).expect(202);
    expect(response.body.data.status).toBe('succeeded');
    expect(await library.get('d')).toMatchObject({ byte_count: 10 * MIB, num_chunks: 1 });
  });
});

describe('4xx stores nothing', () => {
  it.each<[string, Part]>([
    ['bytes that are no UTF-8', { content: Buffer.from([0x61, 0xff, 0x62]) }],
    ['a character that is cut off', { content: Buffer.from('é').subarray(0, 1) }],
    ['UTF-16', { content: Buffer.from('\uFEFFKrill', 'utf16le') }],
    ['nothing but blanks', { content: ' \r\n\t' }],
    ['no bytes', { content: '' }],
    ['JSON without a text', { type: 'application/json', content: '{"a":1}' }],
    ['JSON with a text that is a number', { type: 'application/json', content: '{"text":1}' }],
    ['JSON with a blank text', { type: 'application/json', content: '{"text":" "}' }],
    ['JSON that is a list', { type: 'application/json', content: '["text"]' }],
    ['JSON that is null', { type: 'application/json', content: 'null' }],
    ['broken JSON', { type: 'application/json', content: '{"text":' }],
  ])('422 INGEST_VALIDATION_ERROR for %s', async (_name, file) => {
    await expectRefused({ files: [file] }, 422, 'INGEST_VALIDATION_ERROR');
  });

  it.each(['', '{', '[]', 'null-', '"x"', '{"labels":null}', '{"a":"\\u0000"}', '{"a":"\\ud800"}'])(
    '422 INGEST_VALIDATION_ERROR for the metadata %s',
    async (metadata_json) => {
      await expectRefused({ fields: { metadata_json } }, 422, 'INGEST_VALIDATION_ERROR');
    },
  );

  it.each(['application/zip', 'application/msword', 'text/plainer', 'image/png; charset=utf-8'])(
    '415 for %s',
    async (type) => {
      await expectRefused({ files: [{ type }] }, 415, 'UNSUPPORTED_MEDIA_TYPE');
    },
  );

  it.each<[string, Form]>([
    ['no file', { files: [] }],
    ['a file without a name', { files: [{ filename: '' }] }],
    ['two files', { files: [{}, { filename: 'second.txt' }] }],
    ['a field called file', { fields: { file: 'text' }, files: [] }],
    ['a field of 100 KiB', { fields: { metadata_json: JSON.stringify({ a: 'x'.repeat(100 * 1024) }) } }],
    ['an unknown field', { fields: { colour: 'red' } }],
    ['chunk parameters, which only texts take', { fields: { chunk_size_chars: '10' } }],
    ['an id that is a path', { fields: { document_id: '../../etc/x' } }],
    ['an encoded path as id', { fields: { document_id: '..%2F..%2Fetc%2Fx' } }],
    ['an overwrite that is neither true nor false', { fields: { overwrite: 'maybe' } }],
    ['an empty corpus id', { fields: { corpus_id: '' } }],
  ])('422 REQUEST_VALIDATION_ERROR for %s', async (_name, form) => {
    await expectRefused(form, 422, 'REQUEST_VALIDATION_ERROR');
  });

  it('leaves no temporary file when it refuses after the file has come', async () => {
    const content = uploadMark();
    for (const form of [{ fields: { colour: 'red' } }, { fields: { corpus_id: 'missing' } }, { type: 'image/png' }]) {
      const { type = 'text/plain', ...rest } = form;
      await library.upload({ ...rest, files: [{ content, type }], filesFirst: true });
    }
    await library.upload({ files: [{ content }, { content }] });
    await eventually(() => expect(uploadsOf(content)).toEqual([]));
  });

  // The tenant must follow from the key alone; a field that looks as if it decided would one day be believed.
  it('400 TENANT_ID_NOT_ALLOWED for a field tenant_id', async () => {
    await expectRefused({ fields: { tenant_id: library.editor.tenantId } }, 400, 'TENANT_ID_NOT_ALLOWED');
  });

  it('413 for 11 MiB, and for one byte over the limit', async () => {
    const words = uploadMark();
    for (const size of [11 * MIB, 10 * MIB + 1]) {
      await expectRefused({ files: [{ content: words.padEnd(size, 'x') }] }, 413, 'PAYLOAD_TOO_LARGE');
    }
    await eventually(() => expect(uploadsOf(words)).toEqual([]));
  });

  it('404 for a corpus of another tenant, 403 for a reader', async () => {
    const theirs = await Library.open(app);
    await expectRefused({ fields: { corpus_id: theirs.corpusId } }, 404, 'NOT_FOUND');
    const reader = await app.actor('reader', library.editor.tenantId);
    const response = await postForm(reader, formBody({ fields: { corpus_id: library.corpusId } }));
    expect([response.status, response.body.error.code]).toEqual([403, 'AUTH_FORBIDDEN']);
  });

  it('409 for the id of a document in another corpus', async () => {
    await library.upload({ fields: { document_id: 'd' } }).expect(202);
    const other = await Library.open(app, library.editor);
    const response = await other.upload({ fields: { document_id: 'd', overwrite: 'true' } });
    expect([response.status, response.body.error.code]).toEqual([409, 'CONFLICT']);
    expect(blobs()).toHaveLength(1);
  });
});

// A document that refers to a text that could not be stored could never be ingested.
it('503 BLOB_STORE_UNAVAILABLE when the text cannot be stored, and no document', async () => {
  const tenants = join(folder, 'data', 'documents', 'tenants');
  mkdirSync(tenants, { recursive: true });
  writeFileSync(join(tenants, library.editor.tenantId), 'in the way');
  const response = await library.upload();
  expect([response.status, response.body.error.code]).toEqual([503, 'BLOB_STORE_UNAVAILABLE']);
  expect(await library.count('documents')).toBe(0);
  rmSync(join(tenants, library.editor.tenantId));
  await library.upload().expect(202);
});

// Half a document that is searchable is worse than none, and half files that stay fill the disk.
it('a sender that leaves in the middle of the file leaves nothing behind', async () => {
  const words = uploadMark();
  const fields = { corpus_id: library.corpusId, document_id: 'half' };
  const body = formBody({ fields, files: [{ content: words.padEnd(500_000) }] });
  const connection = new RawConnection(app.url);
  const head = [
    'Host: x',
    `Authorization: Bearer ${library.editor.token}`,
    'Content-Type: multipart/form-data; boundary=b',
    `Content-Length: ${body.length}`,
    'X-Request-Id: left-early',
  ];
  await connection.write(`POST /v1/documents HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  await connection.write(body.subarray(0, 400_000));
  const partial = await eventually(() => {
    const [file] = uploadsOf(words);
    if (file === undefined) throw new Error('The file has not come.');
    return file;
  }).finally(() => connection.destroy());
  await eventually(() => {
    expect(app.logs.filter((line) => line['msg'] === 'request' && line['request_id'] === 'left-early')).toHaveLength(1);
    expect(existsSync(dirname(partial))).toBe(false);
  });
  await library.editor.get('/v1/documents/half').expect(404);
  expect(await library.count('documents')).toBe(0);
  expect(blobs()).toEqual([]);
});
