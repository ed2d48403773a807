import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { docx, pdf, pptx, TYPES, xlsx } from '../../factories/files.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { formBody, Library, postForm, type Part } from './library.js';

let app: TestApp;
let library: Library;
let editor: Actor;

beforeAll(async () => {
  app = await TestApp.start({ INGEST_MAX_CONCURRENCY: '2', PARSER_MAX_UNPACKED_MB: '1' });
});
afterAll(() => app.close());
beforeEach(async () => {
  library = await Library.open(app);
  editor = library.editor;
});

const send = (document_id: string, file: Part) => library.upload({ fields: { document_id }, files: [file] });

interface Content {
  readonly document_id: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly total_chars: number;
}

async function content(id: string, query = ''): Promise<Content> {
  return (await editor.get(`/v1/documents/${id}/content${query}`).expect(200)).body.data as Content;
}

async function refusal(path: string, by: Actor = editor): Promise<unknown[]> {
  const { status, body } = await by.get(path);
  return [status, (body as { error?: { code: string } }).error?.code];
}

describe('a file of every format', () => {
  it.each<[keyof typeof TYPES, () => Promise<Buffer> | Buffer, string]>([
    ['html', () => Buffer.from('<h1>Krill</h1><p>Penguins 🐧 eat krill.'), '# Krill\n\nPenguins 🐧 eat krill.'],
    ['xhtml', () => Buffer.from('<html><body><p>Penguins eat krill.</p></body></html>'), 'Penguins eat krill.'],
    ['csv', () => Buffer.from('who,eats\npenguins,krill\n'), 'who | eats\npenguins | krill'],
    [
      'pdf',
      () => pdf((page) => page.text('Penguins eat krill.').addPage().text('Seals eat fish.')),
      'Penguins eat krill.\n\n\fSeals eat fish.',
    ],
    ['docx', () => docx({ heading: 'Krill' }, { text: '企鹅吃磷虾' }), '# Krill\n\n企鹅吃磷虾'],
    ['pptx', () => pptx({ title: 'Krill' }, { texts: ['البطريق'] }), '# Krill\n\n\fالبطريق'],
    ['xlsx', () => xlsx((book) => book.addWorksheet('Криль').addRow(['a', 1])), '# Криль\n\na | 1'],
  ])('%s becomes searchable, and its text is what chunks and citations count in', async (format, make, text) => {
    const response = await send('d', { filename: `file.${format}`, type: TYPES[format], content: await make() });
    expect([response.status, response.body.data.status]).toEqual([202, 'queued']);
    expect(await library.finished('d')).toMatchObject({
      status: 'succeeded',
      failure_code: null,
      content_type: TYPES[format],
      filename: `file.${format}`,
    });
    const points = Array.from(text);
    expect(await content('d')).toEqual({
      document_id: 'd',
      from: 0,
      to: points.length,
      text,
      total_chars: points.length,
    });
    const chunks = await library.chunksOf('d');
    expect(chunks.length).toBeGreaterThan(0);
    for (const chunk of chunks) {
      const { offset_start: from, offset_end: to } = chunk.metadata;
      const cited = await content('d', `?from=${from}&to=${to}`);
      expect(cited.text).toBe(points.slice(from, to).join(''));
      expect(cited.text).toContain(chunk.text);
    }
  });

  it('without a type is taken for what its name and its content say', async () => {
    const file = await docx({ text: 'Penguins eat krill.' });
    await send('named', { filename: 'a.docx', type: 'application/octet-stream', content: file }).expect(202);
    const fields = { corpus_id: library.corpusId, document_id: 'bare' };
    const body = formBody({ fields, files: [{ filename: 'a.docx', type: 'x/x', content: file }] }).toString('latin1');
    await postForm(editor, Buffer.from(body.replace('Content-Type: x/x\r\n', ''), 'latin1')).expect(202);
    for (const id of ['named', 'bare']) {
      expect(await library.finished(id)).toMatchObject({ status: 'succeeded', content_type: TYPES.docx });
    }
  });

  it('is kept as sent: the same file again changes nothing, and reindexing reads the same text', async () => {
    const file = { filename: 'a.html', type: TYPES.html, content: Buffer.from('<p>caf\xe9\r\n', 'latin1') };
    await send('d', file).expect(202);
    const { byte_count, content_sha256 } = await library.finished('d');
    expect(byte_count).toBe(9);
    expect((await send('d', file).expect(200)).body.data.status).toBe('succeeded');
    await editor.post('/v1/documents/d/reindex').expect(202);
    expect(await library.finished('d')).toMatchObject({ status: 'succeeded', content_sha256 });
    expect((await content('d')).text).toBe('café');
  });
});

describe('a file that cannot be read', () => {
  it('fails with its code and a reason, while others are ingested', async () => {
    const good = await pdf((page) => page.text('Penguins eat krill.'));
    const files: Record<string, readonly [type: string, content: Buffer, code: string | null]> = {
      locked: [TYPES.pdf, await pdf((page) => page.text('x'), { userPassword: 'krill' }), 'FILE_ENCRYPTED'],
      cut: [TYPES.pdf, good.subarray(0, good.length - 200), 'FILE_CORRUPT'],
      lying: [TYPES.xlsx, await docx({ text: 'x' }), 'FILE_CORRUPT'],
      scan: [TYPES.pdf, await pdf((page) => page.rect(0, 0, 9, 9).fill()), 'FILE_WITHOUT_TEXT'],
      bomb: [TYPES.docx, await docx({ text: 'x'.repeat(2 * 1024 * 1024) }), 'FILE_TOO_LARGE'],
      good: [TYPES.pdf, good, null],
    };
    for (const [id, [type, bytes]] of Object.entries(files)) await send(id, { type, content: bytes }).expect(202);
    for (const [id, [, , code]] of Object.entries(files)) {
      const document = await library.finished(id);
      expect([id, document['status'], document['failure_code'], document['attempts']]).toEqual([
        id,
        code === null ? 'succeeded' : 'failed',
        code,
        1,
      ]);
      if (code !== null) expect(document['failure_reason']).toMatch(/^The file /);
    }
    expect(await refusal('/v1/documents/locked/content')).toEqual([409, 'INGEST_SOURCE_MISSING']);
    const failed = (await library.audited('locked')).find(({ outcome }) => outcome === 'failure');
    expect(failed).toMatchObject({ event_type: 'documents.ingest.failed', metadata_json: { code: 'FILE_ENCRYPTED' } });
  });

  it.each<[string, Part]>([
    ['text sent as a PDF', { type: TYPES.pdf, content: 'Penguins' }],
    ['text sent as a workbook', { type: TYPES.xlsx, content: 'a,b' }],
    ['a PDF sent as HTML', { type: TYPES.html, content: '%PDF-1.7' }],
    ['an empty file', { type: TYPES.csv, content: '' }],
  ])('422 INGEST_VALIDATION_ERROR for %s', async (_what, file) => {
    const { status, body } = await send('d', file);
    expect([status, body.error.code]).toEqual([422, 'INGEST_VALIDATION_ERROR']);
    expect(await library.count('documents')).toBe(0);
  });

  it('415 for a generic type and a name that says nothing', async () => {
    const { status, body } = await send('d', { filename: 'a.bin', type: 'application/octet-stream' });
    expect([status, body.error.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });
});

describe('the text of a document', () => {
  const text = 'a🐧b🐟c';

  it.each([
    ['', text, 0, 5],
    ['?from=1', '🐧b🐟c', 1, 5],
    ['?to=2', 'a🐧', 0, 2],
    ['?from=3&to=4', '🐟', 3, 4],
    ['?from=2&to=2', '', 2, 2],
    ['?from=4&to=99', 'c', 4, 5],
    ['?from=77', '', 5, 5],
  ])('%j is %j', async (query, part, from, to) => {
    await library.text({ document_id: 'd', text }).expect(202);
    expect(await content('d', query)).toEqual({ document_id: 'd', from, to, text: part, total_chars: 5 });
  });

  it('comes in parts of 100,000 code points', async () => {
    await library.text({ document_id: 'd', text: '🐧'.repeat(150_000), chunk_size_chars: 200_000 }).expect(202);
    const first = await content('d', '?from=10');
    expect([first.from, first.to, first.total_chars, Array.from(first.text).length]).toEqual([
      10, 100_010, 150_000, 100_000,
    ]);
    expect(await content('d', `?from=${first.to}`)).toMatchObject({ to: 150_000 });
  });

  it.each(['from=-1', 'to=-1', 'from=x', 'from=1.5', 'from=', 'from=3&to=2', 'from=1&from=2', 'from=0x1', 'page=1'])(
    '422 REQUEST_VALIDATION_ERROR for ?%s',
    async (query) => {
      await library.text({ document_id: 'd', text }).expect(202);
      expect(await refusal(`/v1/documents/d/content?${query}`)).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    },
  );

  it('404 for a document that is missing or foreign, as for the document itself', async () => {
    await library.text({ document_id: 'd', text }).expect(202);
    const stranger = await app.actor('admin');
    const error = async (path: string): Promise<unknown> => (await stranger.get(path).expect(404)).body.error;
    expect(await error('/v1/documents/d/content')).toEqual(await error('/v1/documents/d'));
    expect(await error('/v1/documents/missing/content')).toEqual(await error('/v1/documents/missing'));
  });

  it('is there for readers, under both versions of the path', async () => {
    await library.text({ document_id: 'd', text }).expect(202);
    const reader = await app.actor('reader', editor.tenantId);
    await app.grant(editor.tenantId, 'd', 'reader');
    expect((await reader.get('/v1/documents/d/content').expect(200)).body.data.text).toBe(text);
    expect((await reader.get('/documents/d/content').expect(200)).body.text).toBe(text);
  });

  it('409 INGEST_SOURCE_MISSING when it is gone', async () => {
    await library.text({ document_id: 'd', text }).expect(202);
    const { content_sha256 } = await library.finished('d');
    await app.infrastructure.blobs.delete(library.keyOf('d', content_sha256));
    expect(await refusal('/v1/documents/d/content')).toEqual([409, 'INGEST_SOURCE_MISSING']);
  });
});

it('409 INGEST_IN_PROGRESS for the text of a file that no worker has read yet', async () => {
  const api = await TestApp.start({}, {}, false);
  try {
    library = await Library.open(api);
    editor = library.editor;
    await send('file', { type: TYPES.html, content: '<p>Penguins' }).expect(202);
    await library.text({ document_id: 'text', text: 'Penguins' }).expect(202);
    expect(await refusal('/v1/documents/file/content')).toEqual([409, 'INGEST_IN_PROGRESS']);
    expect((await content('text')).text).toBe('Penguins');
  } finally {
    await api.close();
  }
});
