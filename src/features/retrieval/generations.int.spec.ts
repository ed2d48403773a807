import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  accept,
  current,
  get,
  inTenant,
  models,
  newTenant,
  reindex,
  remove,
  rows,
  the,
  transaction,
  useIngestion,
  work,
} from '../../../test/factories/ingestion.js';
import {
  countable,
  counted,
  gate,
  miscounted,
  passage,
  put,
  row,
  search,
  TestModel,
} from '../../../test/factories/retrieval.js';
import { SystemIds } from '../../kernel/ids.js';
import { Corpora } from '../corpora/index.js';
import { AbandonedGenerations } from './application/abandoned-generations.js';
import { ChunkIndex } from './application/chunk-index.js';
import { LexicalSearcher } from './application/lexical-search.js';

useIngestion();

const ids = new SystemIds();
let model: TestModel;
beforeEach(() => {
  model = new TestModel('test');
  Object.assign(models, { current: model, of: () => model });
});

const WORDS_ONLY = { weights: { bm25: 1, vector: 0 } };
const VECTORS_ONLY = { weights: { bm25: 0, vector: 1 } };
const paragraphs = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, at) => `The boat ${name} number ${at} sails.`);
const textOf = (parts: readonly string[]): string => parts.join('\n\n');

/** Sends a document in passages of a paragraph and lets a worker have it. */
async function ingest(documentId: string, parts: readonly string[]): Promise<void> {
  await accept({ documentId, text: textOf(parts), overwrite: true, chunkSize: 40, chunkOverlap: 0 });
  await work();
}

/** Hidden generations, and all passages whether they can be found or not. */
async function stored(): Promise<{ hidden: number; chunks: number; vectors: number }> {
  const [counts] = await rows<{ hidden: number; chunks: number; vectors: number }>(
    `SELECT (SELECT count(*)::int FROM hidden_generations WHERE tenant_id = $1) AS hidden,
            (SELECT count(*)::int FROM chunks WHERE tenant_id = $1) AS chunks,
            (SELECT count(*)::int FROM chunk_embeddings WHERE tenant_id = $1) AS vectors`,
  );
  return counts ?? { hidden: 0, chunks: 0, vectors: 0 };
}

/** A generation that is written piece by piece. */
async function writing(documentId: string, generation: number, status: string): Promise<Writer> {
  await row(documentId, { generation }, status);
  const document = { documentId, corpusId: current.corpusId, generation, uri: 'u' };
  const corpus = await inTenant(() => the(Corpora).get(current.corpusId));
  const guard = async (): Promise<void> => undefined;
  await transaction(() => the(ChunkIndex).open(document));
  return {
    append: (texts, signal = new AbortController().signal) =>
      inTenant(() => the(ChunkIndex).append(corpus, document, texts.map(passage), { guard, signal })),
    show: () => transaction(() => the(ChunkIndex).show(document)),
  };
}
interface Writer {
  append(texts: readonly string[], signal?: AbortSignal): Promise<void>;
  show(): Promise<void>;
}

const sweep = (documentId: string): Promise<void> => inTenant(() => the(ChunkIndex).sweep(documentId));
const erase = (documentId: string, generation: number): Promise<void> =>
  inTenant(() => the(ChunkIndex).erase(documentId, generation));

describe('the counts of a corpus', () => {
  const document = fc.constantFrom('a', 'b', 'c');
  const parts = fc.array(fc.constantFrom('boat', 'ferry sails', 'the quay of the harbour', 'tide', 'a rope'), {
    minLength: 1,
    maxLength: 6,
  });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('ingest' as const), document, parts }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), document, parts }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reindex' as const), document }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), document }) },
  );

  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

  /** What was sent last, and what is found, by document. */
  interface Texts {
    readonly sent: Map<string, string>;
    readonly found: Map<string, string>;
  }

  async function take(taken: Step, { sent, found }: Texts): Promise<void> {
    const { document } = taken;
    const known = sent.get(document);
    if (taken.kind === 'ingest') {
      await ingest(document, taken.parts);
      sent.set(document, textOf(taken.parts));
      found.set(document, textOf(taken.parts));
    }
    if (taken.kind === 'fail') {
      const parts = [...taken.parts, ids.uuid()];
      model.before = () => Promise.reject(new Error('The provider is away.'));
      await ingest(document, parts);
      model.before = async () => undefined;
      sent.set(document, textOf(parts));
    }
    if (taken.kind === 'reindex' && known !== undefined) {
      await reindex(document, { chunkSize: 12, chunkOverlap: 0 });
      await work();
      found.set(document, known);
    }
    if (taken.kind === 'delete' && known !== undefined) {
      await remove(document);
      sent.delete(document);
      found.delete(document);
    }
  }

  // Every score is computed from these counts; one that drifts never mends itself.
  it('are what a search can find, after any sequence of ingestions, failures and deletions', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      await newTenant();
      const texts: Texts = { sent: new Map(), found: new Map() };
      for (const taken of steps) {
        await take(taken, texts);
        expect(await counted()).toEqual(await countable());
        expect(await miscounted()).toEqual([]);
      }
      await the(AbandonedGenerations).sweep();
      expect(await counted()).toEqual(await countable());
      expect(await miscounted()).toEqual([]);
      const left = await rows<{ id: string; text: string }>(
        `SELECT document_id AS id, string_agg(text, ' ' ORDER BY chunk_index) AS text FROM chunks
          WHERE tenant_id = $1 GROUP BY document_id`,
      );
      // Passages may end anywhere, so spaces say nothing.
      const letters = (entries: Iterable<[string, string]>): Map<string, string> =>
        new Map([...entries].map(([id, text]) => [id, text.replaceAll(/\s/g, '')]));
      expect(letters(left.map(({ id, text }) => [id, text]))).toEqual(letters(texts.found));
      expect((await stored()).hidden).toBe(0);
      await inTenant(() => the(Corpora).delete(current.corpusId, true));
      expect(await stored()).toEqual({ hidden: 0, chunks: 0, vectors: 0 });
    });
    await fc.assert(property, { numRuns: 12 });
  }, 120_000);
});

describe('a generation', () => {
  it('is found by no leg before it is shown, and the one before it until then', async () => {
    const old = paragraphs(3, 'old');
    await put('d', old);
    const written = await writing('d', 2, 'processing');
    await written.append(paragraphs(100, 'new'));
    for (const plan of [WORDS_ONLY, VECTORS_ONLY, {}]) {
      expect((await search('boat number', { topK: 200, ...plan })).map(({ text }) => text).sort()).toEqual(old);
    }
    expect(await counted()).toEqual(await countable());
    await written.show();
    for (const plan of [WORDS_ONLY, VECTORS_ONLY, {}]) {
      const found = await search('boat number', { topK: 200, ...plan });
      expect(found).toHaveLength(100);
      expect(found.every(({ text }) => text.includes('new'))).toBe(true);
    }
    expect(await counted()).toEqual(await countable());
    await sweep('d');
    expect(await stored()).toEqual({ hidden: 0, chunks: 100, vectors: 100 });
  });

  // Each leg of a search is a statement of its own, and the document may be replaced between any two of them.
  it.each([1, 2, 3])('is never mixed with another in an answer; replacements on the way: %d', async (times) => {
    await put('d', paragraphs(4, 'v0'));
    const lexical = the(LexicalSearcher);
    const rank = lexical.rank.bind(lexical);
    let searched = gate();
    lexical.rank = async (...given) => {
      const hits = await rank(...given);
      searched.reach();
      return hits;
    };
    let replacements = 0;
    model.before = async (kind) => {
      if (kind !== 'query' || replacements === times) return;
      await searched.reached;
      searched = gate();
      replacements += 1;
      await put('d', paragraphs(4, `v${replacements}`), { generation: replacements + 1 });
    };
    try {
      const found = await search('boat number');
      expect(found.map(({ text }) => text).sort()).toEqual(paragraphs(4, `v${times}`));
    } finally {
      lexical.rank = rank;
    }
  });

  it('is found whole and alone by every search while the document is replaced twenty times', async () => {
    const SIZE = 5;
    await ingest('d', paragraphs(SIZE, 'v0'));
    let done = false;
    const seen: string[][] = [];
    const reader = async (): Promise<void> => {
      while (!done) seen.push((await search('boat number', { topK: 50 })).map(({ text }) => text));
    };
    const writer = async (): Promise<void> => {
      for (let version = 1; version <= 20; version += 1) await ingest('d', paragraphs(SIZE, `v${version}`));
      done = true;
    };
    await Promise.all([writer().finally(() => (done = true)), reader(), reader(), reader()]);
    expect(seen.length).toBeGreaterThan(20);
    const versions = new Set<string>();
    for (const texts of seen) {
      const [version = ''] = /v\d+/.exec(texts[0] ?? '') ?? [];
      versions.add(version);
      expect([...texts].sort()).toEqual(paragraphs(SIZE, version));
    }
    expect(versions.size).toBeGreaterThan(1);
    expect(await counted()).toEqual(await countable());
    expect(await stored()).toEqual({ hidden: 0, chunks: SIZE, vectors: SIZE });
  }, 120_000);
});

describe('an ingestion that was interrupted', () => {
  it('goes on where it was, without doubles, and embeds only what is missing', async () => {
    const texts = paragraphs(150, 'x');
    const written = await writing('d', 1, 'processing');
    let calls = 0;
    model.before = async (kind) => {
      if (kind === 'document' && (calls += 1) === 2) throw new Error('The provider is away.');
    };
    await expect(written.append(texts)).rejects.toThrow('away');
    const before = await stored();
    expect(before.chunks).toBeGreaterThan(0);
    expect(before.chunks).toBeLessThan(150);
    expect(await search('boat')).toEqual([]);
    await written.append(texts);
    expect(model.embedded).toEqual(texts);
    await written.append(texts);
    expect(model.embedded).toHaveLength(150);
    await written.show();
    expect(await stored()).toEqual({ hidden: 0, chunks: 150, vectors: 150 });
    expect(await counted()).toEqual(await countable());
  });

  it('stores nothing more once it is aborted or its guard objects', async () => {
    const written = await writing('d', 1, 'processing');
    const controller = new AbortController();
    model.before = async () => controller.abort(new Error('lease lost'));
    await expect(written.append(paragraphs(10, 'x'), controller.signal)).rejects.toThrow('lease lost');
    expect(await stored()).toMatchObject({ chunks: 0, vectors: 0 });
    model.before = async () => undefined;
    const corpus = await inTenant(() => the(Corpora).get(current.corpusId));
    const document = { documentId: 'd', corpusId: current.corpusId, generation: 1, uri: 'u' };
    const guard = (): Promise<void> => Promise.reject(new Error('overtaken'));
    const attempt = inTenant(() =>
      the(ChunkIndex).append(corpus, document, paragraphs(10, 'x').map(passage), {
        guard,
        signal: new AbortController().signal,
      }),
    );
    await expect(attempt).rejects.toThrow('overtaken');
    expect(await stored()).toMatchObject({ chunks: 0, vectors: 0 });
  });
});

describe('what did not change', () => {
  it('is not embedded again when one paragraph of a document changes', async () => {
    const before = paragraphs(8, 'x');
    await ingest('d', before);
    expect(model.embedded).toHaveLength(8);
    const after = before.map((text, at) => (at === 3 ? 'A submarine dives.' : text));
    await ingest('d', after);
    expect(model.embedded.slice(8)).toEqual(['A submarine dives.']);
    expect(await stored()).toEqual({ hidden: 0, chunks: 8, vectors: 8 });
    expect((await search('submarine dives', VECTORS_ONLY))[0]).toMatchObject({ text: 'A submarine dives.' });
    expect((await search('boat x number 7', VECTORS_ONLY))[0]?.text).toContain('number 7');
  });

  it('is not embedded again for a reindex, nor when passages change places', async () => {
    const parts = paragraphs(6, 'x');
    await ingest('d', parts);
    await reindex('d');
    await work();
    await ingest('d', [...parts].reverse());
    expect(await get('d')).toMatchObject({ generation: 3, status: 'succeeded' });
    expect(model.embedded).toHaveLength(6);
    expect(await stored()).toEqual({ hidden: 0, chunks: 6, vectors: 6 });
  });

  it('is embedded once when a document repeats it', async () => {
    await put('d', [...paragraphs(2, 'x'), ...paragraphs(2, 'x'), ...paragraphs(70, 'y'), ...paragraphs(2, 'x')]);
    expect(model.embedded).toHaveLength(72);
    expect(await stored()).toEqual({ hidden: 0, chunks: 76, vectors: 76 });
  });

  it('is embedded for each document: what one tenant stores says nothing about another', async () => {
    await put('a', ['The boat sails.']);
    await put('b', ['The boat sails.']);
    expect(model.embedded).toHaveLength(2);
  });
});

describe('generations that nobody writes', () => {
  it('are swept, with their vectors; those in progress and the one that is found are not', async () => {
    await put('failed', ['boat one']);
    const failed = await writing('failed', 2, 'failed');
    await failed.append(paragraphs(70, 'failed'));
    await put('busy', ['boat two']);
    const busy = await writing('busy', 2, 'processing');
    await busy.append(paragraphs(3, 'busy'));
    const queued = await writing('queued', 1, 'queued');
    await queued.append(paragraphs(2, 'queued'));

    await Promise.all([the(AbandonedGenerations).sweep(), the(AbandonedGenerations).sweep()]);
    const left = await rows(
      `SELECT document_id AS id, generation, count(*)::int AS chunks FROM chunks WHERE tenant_id = $1
        GROUP BY document_id, generation ORDER BY document_id, generation`,
    );
    expect(left).toEqual([
      { id: 'busy', generation: 1, chunks: 1 },
      { id: 'busy', generation: 2, chunks: 3 },
      { id: 'failed', generation: 1, chunks: 1 },
      { id: 'queued', generation: 1, chunks: 2 },
    ]);
    expect(await stored()).toEqual({ hidden: 2, chunks: 7, vectors: 7 });
    expect(await counted()).toEqual(await countable());
    await busy.show();
    await queued.show();
    expect(await search('boat', { topK: 50 })).toHaveLength(6);
  });

  it('are swept in parts, however large', async () => {
    await put('d', ['boat']);
    const failed = await writing('d', 2, 'failed');
    await failed.append(paragraphs(520, 'x'));
    await the(AbandonedGenerations).sweep();
    expect(await stored()).toEqual({ hidden: 0, chunks: 1, vectors: 1 });
  });

  // A sweep looks first and deletes later. Meanwhile the document is sent again: its new passages must not be lost.
  it('are not taken for what has been written or shown since somebody looked', async () => {
    await put('d', ['boat one']);
    const written = await writing('d', 2, 'processing');
    const texts = paragraphs(100, 'x');
    let calls = 0;
    model.before = async (kind) => {
      if (kind === 'document' && (calls += 1) === 2) {
        await sweep('d');
        await erase('d', 2);
      }
    };
    await written.append(texts);
    expect(calls).toBe(2);
    await erase('d', 2);
    expect(await search('boat', { topK: 200 })).toHaveLength(1);
    await written.show();
    await row('d', { generation: 2 });
    await erase('d', 2);
    expect(await search('boat', { topK: 200 })).toHaveLength(100);
    expect(await counted()).toEqual(await countable());
    await sweep('d');
    expect(await stored()).toEqual({ hidden: 0, chunks: 100, vectors: 100 });
  });

  it('go with their document and with their corpus', async () => {
    await put('d', ['boat one']);
    const written = await writing('d', 2, 'processing');
    await written.append(paragraphs(3, 'x'));
    await inTenant(() => the(Corpora).delete(current.corpusId, true));
    expect(await stored()).toEqual({ hidden: 0, chunks: 0, vectors: 0 });
    expect(await rows(`SELECT FROM corpus_indexes WHERE tenant_id = $1`)).toEqual([]);
  });
});
