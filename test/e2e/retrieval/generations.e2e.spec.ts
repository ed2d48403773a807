import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../harness/app.js';
import { GatedEmbeddings } from '../ingestion/gated-embeddings.js';
import { Library } from '../ingestion/library.js';

const embeddings = new GatedEmbeddings();
let app: TestApp;
let library: Library;

beforeAll(async () => {
  app = await TestApp.start({}, { embeddings });
});
afterAll(() => app.close());
beforeEach(async () => {
  embeddings.reset();
  embeddings.calls.length = 0;
  library = await Library.open(app);
});

/** Each paragraph is a passage. */
const paragraphs = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, at) => `The boat ${name} number ${at} sails on.`);

async function send(document_id: string, parts: readonly string[]): Promise<void> {
  const body = { document_id, text: parts.join('\n\n'), overwrite: true, chunk_size_chars: 50, chunk_overlap_chars: 0 };
  await library.text(body).expect(202);
}

async function ingest(document_id: string, parts: readonly string[]): Promise<unknown> {
  await send(document_id, parts);
  return (await library.finished(document_id))['status'];
}

async function found(top_k = 20): Promise<string[]> {
  const query = new URLSearchParams({ q: 'boat number', top_k: String(top_k) }).toString();
  const response = await library.editor.get(`/v1/corpora/${library.corpusId}/search?${query}`).expect(200);
  return (response.body.data.items as { text: string }[]).map(({ text }) => text);
}
const embedded = (): string[] => embeddings.calls.flat();

describe('a document that is replaced', () => {
  it('is found whole, in one version, by every search meanwhile', async () => {
    await ingest('d', paragraphs(5, 'v0'));
    let done = false;
    const answers: string[][] = [];
    const reader = async (): Promise<void> => {
      while (!done) answers.push(await found());
    };
    const writer = async (): Promise<void> => {
      for (let version = 1; version <= 20; version += 1) await ingest('d', paragraphs(5, `v${version}`));
    };
    await Promise.all([writer().finally(() => (done = true)), reader(), reader()]);
    for (const answer of answers) {
      const [version = ''] = /v\d+/.exec(answer[0] ?? '') ?? [];
      expect([...answer].sort()).toEqual(paragraphs(5, version));
    }
    expect([...(await found())].sort()).toEqual(paragraphs(5, 'v20'));
  }, 120_000);

  it('is embedded where it changed, and nowhere else', async () => {
    const parts = paragraphs(10, 'x');
    await ingest('d', parts);
    expect(embedded()).toEqual(parts);
    const changed = parts.map((part, at) => (at === 4 ? 'The submarine dives.' : part));
    await ingest('d', changed);
    expect(embedded().slice(10)).toEqual(['The submarine dives.']);
    await library.editor.post('/v1/documents/d/reindex', {}).expect(202);
    await library.finished('d');
    expect(embedded()).toHaveLength(11);
    expect((await library.chunksOf('d')).map(({ text }) => text)).toEqual(changed);
  });

  it('stays as it was while the new version is made, and when that fails', async () => {
    await ingest('d', paragraphs(3, 'old'));
    const release = embeddings.hold();
    await send('d', paragraphs(3, 'new'));
    expect([...(await found())].sort()).toEqual(paragraphs(3, 'old'));
    embeddings.fail('new', 3);
    release();
    expect(await library.finished('d')).toMatchObject({ status: 'failed' });
    expect([...(await found())].sort()).toEqual(paragraphs(3, 'old'));
    embeddings.reset();
    expect(await ingest('d', paragraphs(4, 'newer'))).toBe('succeeded');
    expect([...(await found())].sort()).toEqual(paragraphs(4, 'newer'));
    const { body } = await library.editor.get(`/v1/corpora/${library.corpusId}/index`).expect(200);
    expect(body.data.chunk_count).toBe(4);
  }, 120_000);
});

describe('an ingestion that breaks off', () => {
  it('goes on where it was: what was embedded once is not embedded again', async () => {
    const parts = paragraphs(150, 'x');
    embeddings.fail('number 140', 1);
    expect(await ingest('d', parts)).toBe('succeeded');
    const failed = embeddings.calls.filter((texts) => texts.some((text) => text.includes('number 140')));
    expect(failed).toHaveLength(2);
    expect(embedded()).toHaveLength(150 + (failed[0]?.length ?? 0));
    expect(failed[0]?.length).toBeLessThan(100);
    expect(await library.chunksOf('d')).toHaveLength(150);
    expect(await library.get('d')).toMatchObject({ num_chunks: 150, attempts: 2 });
    expect(await found()).toHaveLength(20);
  });
});
