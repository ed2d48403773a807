import { describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../../kernel/hash.js';
import { SystemIds } from '../../../kernel/ids.js';
import { loadSettings } from '../../../kernel/settings.js';
import { ingestionSettings } from '../ingestion.settings.js';
import { Submissions } from './submissions.js';

function submissions(env: Record<string, string> = {}): Submissions {
  return new Submissions(loadSettings(env, [ingestionSettings]).get(ingestionSettings), new SystemIds());
}

const text = { corpusId: 'c1', overwrite: false, text: 'Hello' };
const file = { name: 'a.txt', contentType: 'text/plain', bytes: Buffer.from('Hello') };
const upload = { corpusId: 'c1', overwrite: false, file };

describe('ofText', () => {
  it('hashes and sizes the stored form, not what was sent', () => {
    const submission = submissions().ofText({ ...text, text: '\uFEFFä\r\nb\0' });
    expect(Buffer.from(submission.bytes).toString('utf8')).toBe('ä\nb');
    expect(submission.contentSha256).toBe(sha256Hex('ä\nb'));
    expect(submission.bytes.byteLength).toBe(4);
    expect(submission.facts).toEqual({ file_name: 'raw_text.txt', char_count: 3, metadata_keys: [] });
  });

  it('gives the document an id that says nothing when the sender has none', () => {
    expect(submissions().ofText(text).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(submissions().ofText({ ...text, documentId: 'mine' }).id).toBe('mine');
  });

  it('refuses a blank text', () => {
    expect(() => submissions().ofText({ ...text, text: ' \n\0 ' })).toThrow('text must not be blank');
  });

  it('refuses an overlap that does not fit, and lets the worker do so when told to', () => {
    const request = { ...text, chunkSize: 100, chunkOverlap: 100 };
    expect(() => submissions().ofText(request)).toThrow('chunk_overlap_chars must be smaller');
    const lenient = submissions({ INGEST_STRICT_CHUNK_VALIDATION: 'false' });
    expect(lenient.ofText(request).chunkParams).toEqual({ size: 100, overlap: 100 });
  });
});

describe('ofUpload', () => {
  it('keeps no path and no parameters of the content type', () => {
    const named = { ...file, name: '../../etc/passwd.txt', contentType: 'Text/Plain; charset=utf-8' };
    expect(submissions().ofUpload({ ...upload, file: named })).toMatchObject({
      filename: 'passwd.txt',
      contentType: 'text/plain',
      ingestSource: 'upload_file',
      facts: { file_name: 'passwd.txt', file_mime: 'text/plain', byte_count: 5 },
    });
  });

  it.each(['application/zip', 'nonsense', 'image/png', 'application/msword'])('refuses the type %j', (contentType) => {
    expect(() => submissions().ofUpload({ ...upload, file: { ...file, contentType } })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MEDIA_TYPE' }),
    );
  });

  it.each([
    ['application/json', '{"a":1}'],
    ['application/json', '{'],
    ['text/plain', '  '],
  ])('refuses %s %j', (contentType, content) => {
    const sent = { ...file, contentType, bytes: Buffer.from(content) };
    expect(() => submissions().ofUpload({ ...upload, file: sent })).toThrow(
      expect.objectContaining({ code: 'INGEST_VALIDATION_ERROR' }),
    );
  });

  it('keeps a file as it was sent', () => {
    const bytes = Buffer.from('<p>caf\xe9\r\n', 'latin1');
    const submission = submissions().ofUpload({ ...upload, file: { name: 'a.html', contentType: 'text/html', bytes } });
    expect(submission.bytes).toBe(bytes);
    expect(submission).toMatchObject({
      contentType: 'text/html',
      contentSha256: sha256Hex(bytes),
      ingestSource: 'upload_file',
      facts: { file_name: 'a.html', file_mime: 'text/html', byte_count: 9 },
    });
  });

  it.each([
    ['text as a PDF', 'application/pdf', 'Hello', 'file is not of the type application/pdf'],
    ['a PDF as CSV', 'text/csv', '%PDF-1.7', 'file is not of the type text/csv'],
    ['nothing', 'text/html', '', 'file must not be empty'],
  ])('refuses %s', (_what, contentType, content, message) => {
    const sent = { ...file, contentType, bytes: Buffer.from(content) };
    expect(() => submissions().ofUpload({ ...upload, file: sent })).toThrow(
      expect.objectContaining({ code: 'INGEST_VALIDATION_ERROR', message }),
    );
  });

  it('refuses metadata that is no object', () => {
    expect(() => submissions().ofUpload({ ...upload, metadataJson: '[]' })).toThrow('metadata_json must be an object');
  });
});

describe('ofReindex', () => {
  const kept = { size: 800, overlap: 100 };
  it.each([
    [{}, kept],
    [{ chunkSize: 80 }, { size: 80, overlap: 10 }],
    [{ chunkOverlap: 0 }, { size: 800, overlap: 0 }],
    [
      { chunkSize: 10, chunkOverlap: 0 },
      { size: 10, overlap: 0 },
    ],
  ])('%j', (request, expected) => {
    expect(submissions().ofReindex(kept, request).chunkParams).toEqual(expected);
  });

  it('refuses an overlap that does not fit the size that is kept', () => {
    expect(() => submissions().ofReindex(kept, { chunkOverlap: 800 })).toThrow('chunk_overlap_chars');
  });
});
