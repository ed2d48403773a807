import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  accept,
  audit,
  code,
  current,
  get,
  inTenant,
  models,
  newCorpus,
  outbox,
  rows,
  the,
  transaction,
  useIngestion,
  work,
} from '../../../test/factories/ingestion.js';
import {
  counted,
  countable,
  gate,
  passage,
  put,
  row,
  search,
  TestModel,
  takeOut,
} from '../../../test/factories/retrieval.js';
import type { JobRun } from '../../kernel/jobs.js';
import { modelErrors } from '../../platform/model-gateway/model-gateway.errors.js';
import { Corpora } from '../corpora/index.js';
import { ChunkIndex } from './application/chunk-index.js';
import { Reembedding, type IndexState } from './application/reembedding.js';
import { ReembedHandler } from './jobs/reembed.handler.js';
import { reembedJob, type ReembedPayload } from './retrieval.jobs.js';

useIngestion();

let old: TestModel;
let next: TestModel;
beforeEach(() => {
  old = new TestModel('old');
  next = new TestModel('next-model');
  configure(old, [next]);
});

/** What an operator sets, and what the installation can call besides. */
function configure(chosen: TestModel, others: readonly TestModel[]): void {
  const known = [chosen, ...others];
  const of = (id: string): TestModel => {
    const model = known.find((candidate) => candidate.id === id);
    if (model === undefined) throw modelErrors.EMBEDDING_CONFIG_MISSING();
    return model;
  };
  Object.assign(models, { current: chosen, of });
}

const VECTORS = { weights: { bm25: 0, vector: 1 } };
const texts = (count: number, name = 'x'): string[] =>
  Array.from({ length: count }, (_, at) => `The boat ${name} number ${at} sails.`);

const start = (): Promise<IndexState> => inTenant(() => the(Reembedding).start(current.corpusId));
const state = (): Promise<IndexState> => inTenant(() => the(Reembedding).state(current.corpusId));

function runOf(model: string, signal = new AbortController().signal): JobRun<ReembedPayload> {
  const payload = { corpusId: current.corpusId, model };
  return { id: 'job', tenantId: current.tenantId, payload, attempt: 1, lastAttempt: false, signal };
}
const carryOut = (model = next.id, signal?: AbortSignal): Promise<void> =>
  inTenant(() => the(ReembedHandler).run(runOf(model, signal)));
const giveUp = (model = next.id): Promise<void> =>
  transaction(() => the(ReembedHandler).failed(runOf(model), new Error('away')));

/** Vectors of the tenant, by model. */
async function vectors(): Promise<Record<string, number>> {
  const counts = await rows<{ model: string; vectors: number }>(
    `SELECT embedding_model AS model, count(*)::int AS vectors FROM chunk_embeddings WHERE tenant_id = $1 GROUP BY 1`,
  );
  return Object.fromEntries(counts.map(({ model, vectors }) => [model, vectors]));
}
const events = (): string[] =>
  audit.entries.filter(({ event }) => event.startsWith('corpora.reembed')).map(({ event }) => event.slice(16));

/** That vectors, and those of one model only, find every passage, each best by its own text. */
async function expectFound(count: number, name = 'x', options: object = {}): Promise<void> {
  const [text = ''] = texts(1, name);
  const found = await search(text, { ...VECTORS, topK: 200, ...options });
  expect(found).toHaveLength(count);
  expect(found[0]).toMatchObject({ text, legs: { bm25: null, vector: { rank: 1 } } });
  expect(found[0]?.legs.vector?.score).toBeCloseTo(1, 5);
}

describe('asking for another model', () => {
  it('says what is in force and what is to come, and enqueues the work with its record', async () => {
    await put('d', texts(2));
    expect(await state()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: null, configuredModel: 'old' });
    configure(next, [old]);
    expect(await state()).toMatchObject({ embeddingModel: 'old', configuredModel: 'next-model', chunkCount: 2 });
    expect(await start()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: 'next-model' });
    expect(await state()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: 'next-model' });
    const payload = { corpusId: current.corpusId, model: 'next-model' };
    expect(await outbox(reembedJob.name)).toMatchObject([{ payload }]);
    expect(audit.entries.at(-1)).toMatchObject({
      event: 'corpora.reembed.enqueued',
      resourceId: current.corpusId,
      metadata: { from: 'old', to: 'next-model' },
    });
  });

  it('does nothing for a corpus that never had a document, and knows no other corpora', async () => {
    expect(await start()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: null, chunkCount: 0 });
    expect(await outbox(reembedJob.name)).toEqual([]);
    expect(events()).toEqual([]);
    expect(await code(inTenant(() => the(Reembedding).start('nope')))).toBe('NOT_FOUND');
    expect(await code(inTenant(() => the(Reembedding).state('nope')))).toBe('NOT_FOUND');
  });

  it('makes good what is missing when the model is in force already', async () => {
    await put('d', texts(5));
    await rows(
      `DELETE FROM chunk_embeddings e USING chunks c WHERE c.tenant_id = $1 AND e.tenant_id = $1 AND c.id = e.chunk_id
          AND c.chunk_index < 2`,
    );
    expect(await start()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: 'old' });
    await put('e', texts(1, 'e'));
    expect(await vectors()).toEqual({ old: 4 });
    await carryOut(old.id);
    expect(await state()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: null });
    expect(await vectors()).toEqual({ old: 6 });
    expect(old.embedded.slice(6).sort()).toEqual(texts(2).sort());
    await expectFound(6);
  });

  it('leaves new documents of a corpus with its model until it is asked', async () => {
    await put('a', texts(2));
    configure(next, [old]);
    await put('b', texts(2, 'y'));
    expect(await vectors()).toEqual({ old: 4 });
    await expectFound(4);
    current.corpusId = await newCorpus('New');
    await put('c', texts(1));
    expect(await vectors()).toEqual({ old: 4, 'next-model': 1 });
  });
});

describe('the move to another model', () => {
  beforeEach(async () => {
    await put('d', texts(100));
    configure(next, [old]);
    await start();
  });

  it('makes the vectors of the searched texts, switches, and removes the old vectors', async () => {
    await carryOut();
    expect(await state()).toMatchObject({ embeddingModel: 'next-model', nextEmbeddingModel: null, chunkCount: 100 });
    expect(await vectors()).toEqual({ 'next-model': 100 });
    expect([...next.embedded].sort()).toEqual(texts(100).sort());
    expect(events()).toEqual(['enqueued', 'succeeded']);
    await expectFound(100);
    expect(next.questions).toBe(1);
    expect(await counted()).toEqual(await countable());
  });

  it('embeds a passage with the headings above it, as ingestion did', async () => {
    await row('e', {}, 'processing');
    const document = { documentId: 'e', corpusId: current.corpusId, generation: 1, uri: 'u' };
    const below = {
      ...passage('Nine to five.', 0),
      searchText: 'Hours\nNine to five.',
      metadata: { section: 'Hours' },
    };
    const corpus = await inTenant(() => the(Corpora).get(current.corpusId));
    const options = { guard: async () => undefined, signal: new AbortController().signal };
    await giveUp();
    await transaction(() => the(ChunkIndex).open(document));
    await inTenant(() => the(ChunkIndex).append(corpus, document, [below], options));
    expect(old.embedded.at(-1)).toBe('Hours\nNine to five.');
    await start();
    await carryOut();
    expect(next.embedded).toContain('Hours\nNine to five.');
    expect(next.embedded).toHaveLength(101);
  });

  it('is not seen by searches before it is complete, and documents that arrive get both vectors', async () => {
    const half = gate();
    let calls = 0;
    next.before = async (kind) => {
      if (kind !== 'document' || (calls += 1) !== 2) return;
      half.reach();
      await half.passed;
    };
    const move = carryOut();
    await half.reached;
    next.before = async () => undefined;
    expect((await vectors())['next-model']).toBe(64);
    await expectFound(100);
    await put('late', texts(3, 'late'));
    expect(await vectors()).toEqual({ old: 103, 'next-model': 67 });
    await expectFound(103, 'late');
    expect([old.questions, next.questions]).toEqual([2, 0]);
    half.open();
    await move;
    expect(await vectors()).toEqual({ 'next-model': 103 });
    await expectFound(103, 'late');
    expect([old.questions, next.questions]).toEqual([2, 1]);
    expect(next.embedded).toHaveLength(103);
  });

  // A question whose vector is of one model, compared with vectors of the other, finds rubbish; or nothing, when they
  // have been removed between its statements.
  it.each([{}, { filter: {} }, { filter: { kind: 'x' } }])(
    'may happen while a question is being embedded: it is answered in full, with %j',
    async (options) => {
      await rows(`UPDATE documents SET metadata_json = '{"kind": "x"}' WHERE tenant_id = $1`);
      old.before = async (kind) => {
        if (kind === 'query') await carryOut();
      };
      await expectFound(100, 'x', options);
      expect(await vectors()).toEqual({ 'next-model': 100 });
    },
  );

  it('shows every search one model or the other', async () => {
    let done = false;
    let searches = 0;
    const reader = async (): Promise<void> => {
      for (; !done; searches += 1) await expectFound(100);
    };
    await Promise.all([carryOut().finally(() => (done = true)), reader(), reader()]);
    expect(searches).toBeGreaterThan(1);
    await expectFound(100);
  });

  it('takes in a document that is being ingested when it is asked for, and one when it switches', async () => {
    await giveUp();
    const ingest = (documentId: string, name: string): Promise<void> => put(documentId, texts(2, name));
    old.before = async (kind) => {
      old.before = async () => undefined;
      if (kind === 'document') await start();
    };
    await ingest('asked', 'asked');
    expect(await vectors()).toEqual({ old: 102, 'next-model': 2 });
    let interrupted = false;
    old.before = async (kind, given) => {
      if (interrupted || kind !== 'document' || !given.some((text) => text.includes('switched'))) return;
      interrupted = true;
      await carryOut();
    };
    await ingest('switched', 'switched');
    expect(await vectors()).toEqual({ 'next-model': 104 });
    await expectFound(104, 'switched');
  });

  it('takes along a generation that cannot be found yet', async () => {
    await giveUp();
    await row('h', {}, 'processing');
    const document = { documentId: 'h', corpusId: current.corpusId, generation: 1, uri: 'u' };
    const corpus = await inTenant(() => the(Corpora).get(current.corpusId));
    const options = { guard: async () => undefined, signal: new AbortController().signal };
    await transaction(() => the(ChunkIndex).open(document));
    await inTenant(() => the(ChunkIndex).append(corpus, document, texts(2, 'h').map(passage), options));
    await start();
    await carryOut();
    await transaction(() => the(ChunkIndex).show(document));
    expect(await vectors()).toEqual({ 'next-model': 102 });
    await expectFound(102, 'h');
  });

  it('goes on where it was when it is interrupted, and does nothing when it is repeated', async () => {
    const controller = new AbortController();
    let calls = 0;
    next.before = async (kind) => {
      if (kind === 'document' && (calls += 1) === 2) controller.abort(new Error('lease lost'));
    };
    await expect(carryOut(next.id, controller.signal)).rejects.toThrow('lease lost');
    expect(await vectors()).toEqual({ old: 100, 'next-model': 64 });
    await carryOut();
    await carryOut();
    await Promise.all([carryOut(), carryOut()]);
    await giveUp();
    expect(next.embedded).toHaveLength(100);
    expect(await vectors()).toEqual({ 'next-model': 100 });
    expect(await state()).toMatchObject({ embeddingModel: 'next-model', nextEmbeddingModel: null });
    expect(events()).toEqual(['enqueued', 'succeeded']);
  });

  it('is one move when two workers have it, or when it was asked for twice', async () => {
    await start();
    await Promise.all([carryOut(), carryOut()]);
    expect(await vectors()).toEqual({ 'next-model': 100 });
    expect(events()).toEqual(['enqueued', 'enqueued', 'succeeded']);
    await expectFound(100);
  });

  it('leaves other corpora alone', async () => {
    const moved = current.corpusId;
    configure(old, [next]);
    current.corpusId = await newCorpus('Other');
    await put('other', texts(3));
    const other = current.corpusId;
    current.corpusId = moved;
    configure(next, [old]);
    await carryOut();
    current.corpusId = other;
    expect(await state()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: null });
    expect(await vectors()).toEqual({ old: 3, 'next-model': 100 });
    await expectFound(3);
  });

  it('to a third model takes the place of one that is under way', async () => {
    const third = new TestModel('the-third-model');
    const half = gate();
    next.before = async () => {
      half.reach();
      await half.passed;
    };
    const move = carryOut();
    await half.reached;
    configure(third, [old, next]);
    await start();
    half.open();
    await move;
    expect(await state()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: 'the-third-model' });
    await carryOut(third.id);
    expect(await vectors()).toEqual({ 'the-third-model': 100 });
    await giveUp();
    expect(await state()).toMatchObject({ embeddingModel: 'the-third-model', nextEmbeddingModel: null });
    await expectFound(100);
  });

  it('is called off by asking for the model in force', async () => {
    const half = gate();
    next.before = async () => {
      half.reach();
      await half.passed;
    };
    const move = carryOut();
    await half.reached;
    configure(old, [next]);
    expect(await start()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: 'old' });
    half.open();
    await move;
    await carryOut(old.id);
    expect(await state()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: null });
    expect(await vectors()).toEqual({ old: 100 });
    expect(old.embedded).toHaveLength(100);
    await expectFound(100);
  });

  it('ends quietly when its corpus is deleted meanwhile', async () => {
    next.before = async () => {
      next.before = async () => undefined;
      await inTenant(() => the(Corpora).delete(current.corpusId, true));
    };
    await carryOut();
    await giveUp();
    expect(await vectors()).toEqual({});
    expect(events()).toEqual(['enqueued']);
  });

  it('ends well when a document is deleted or replaced meanwhile', async () => {
    await put('e', texts(2, 'e'));
    next.before = async () => {
      next.before = async () => undefined;
      await takeOut('d');
      await put('e', texts(3, 'e'), { generation: 2 });
    };
    await carryOut();
    expect(await vectors()).toEqual({ 'next-model': 3 });
    await expectFound(3, 'e');
  });
});

describe('a new provider that fails', () => {
  beforeEach(async () => {
    await put('d', texts(100));
    configure(next, [old]);
    await start();
    let calls = 0;
    next.before = async () => {
      if ((calls += 1) > 1) throw modelErrors.EMBEDDING_ERROR();
    };
    await expect(carryOut()).rejects.toMatchObject({ code: 'EMBEDDING_ERROR' });
  });

  it('is tried again while another attempt may mend it, and not when only a change can', () => {
    expect(reembedJob.permanent?.(modelErrors.EMBEDDING_ERROR())).toBe(false);
    expect(reembedJob.permanent?.(new Error('The database is away.'))).toBe(false);
    expect(reembedJob.permanent?.(modelErrors.EMBEDDING_CONFIG_MISSING())).toBe(true);
    expect(reembedJob.permanent?.(modelErrors.EMBEDDING_DIMENSION_MISMATCH())).toBe(true);
  });

  it('leaves the old model in force and ingestion working once it is given up', async () => {
    await expectFound(100);
    await giveUp();
    expect(await state()).toMatchObject({ embeddingModel: 'old', nextEmbeddingModel: null });
    expect(events()).toEqual(['enqueued', 'failed']);
    expect(audit.entries.at(-1)).toMatchObject({ outcome: 'failure', metadata: { from: 'old', to: 'next-model' } });
    await accept({ documentId: 'after', text: 'The boat after sails.' });
    await work();
    expect(await get('after')).toMatchObject({ status: 'succeeded' });
    await expectFound(101);
    await giveUp();
    expect(events()).toEqual(['enqueued', 'failed']);
  });

  it('can be asked for again, and is not asked for what it has made already', async () => {
    await giveUp();
    await put('d2', texts(2, 'y'));
    next.before = async () => undefined;
    await start();
    await carryOut();
    expect(next.embedded).toHaveLength(102);
    expect(await vectors()).toEqual({ 'next-model': 102 });
    expect(events()).toEqual(['enqueued', 'failed', 'enqueued', 'succeeded']);
    await expectFound(102);
  });
});
