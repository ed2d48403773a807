import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PROVIDER_TEXT } from '../../../test/harness/model-server.js';
import type { ModelServer } from '../../../test/harness/model-server.js';
import { startOpenAiServer } from '../../../test/harness/openai-server.js';
import type { ReceivedRequest } from '../../../test/harness/scripted-server.js';
import { startVertexServer } from '../../../test/harness/vertex-server.js';
import { isAppError } from '../../kernel/errors.js';
import { SystemIds } from '../../kernel/ids.js';
import { loadSettings } from '../../kernel/settings.js';
import { ManualClock, SystemClock } from '../../kernel/time.js';
import type { Clock } from '../../kernel/time.js';
import { createEmbeddingModel } from './create-models.js';
import type { EmbeddingModel } from './embedding-model.js';
import { modelSettings } from './model-gateway.settings.js';

let server: ModelServer;

function model(provider: string, clock: Clock = new SystemClock(), env: Record<string, string> = {}): EmbeddingModel {
  const all = { ...server.env, EMBEDDING_PROVIDER: provider, EXT_RETRY_BACKOFF_MS: '0', ...env };
  return createEmbeddingModel(loadSettings(all, [modelSettings]).get(modelSettings), clock, new SystemIds());
}

async function codeOf(result: Promise<unknown>): Promise<string> {
  const error: unknown = await result.then(
    () => new Error('resolved'),
    (thrown: unknown) => thrown,
  );
  if (!isAppError(error)) throw error;
  expect(error.message).not.toContain(PROVIDER_TEXT);
  return error.code;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Provider {
  readonly name: string;
  start(): Promise<ModelServer>;
  inputs(request: ReceivedRequest): number;
}

const PROVIDERS: Provider[] = [
  {
    name: 'openai',
    start: startOpenAiServer,
    inputs: ({ body }) => (body as { input: unknown[] }).input.length,
  },
  {
    name: 'vertex',
    start: startVertexServer,
    inputs: ({ body }) => (body as { instances: unknown[] }).instances.length,
  },
];

describe.each(PROVIDERS)('$name', (provider) => {
  beforeEach(async () => {
    server = await provider.start();
  });
  afterEach(() => server.close());

  it('returns one vector per text, in order, over several requests of at most 96', async () => {
    server.http.next(...[1, 2, 3].map(() => server.replies.embeddings()));
    const texts = Array.from({ length: 200 }, (_, n) => 'x'.repeat(n + 1));
    const vectors = await model(provider.name).embed(texts, 'document');
    expect(server.http.requests.map(provider.inputs)).toEqual([96, 96, 8]);
    expect(vectors).toHaveLength(200);
    expect(vectors.every((vector) => vector.length === 768)).toBe(true);
  });

  it('makes no request for no text', async () => {
    await expect(model(provider.name).embed([], 'document')).resolves.toEqual([]);
    expect(server.http.requests).toHaveLength(0);
  });

  it('refuses vectors of another length', async () => {
    server.http.next(server.replies.embeddings(3));
    await expect(codeOf(model(provider.name).embed(['a'], 'document'))).resolves.toBe('EMBEDDING_DIMENSION_MISMATCH');
    expect(server.http.requests).toHaveLength(1);
  });

  it.each([429, 500, 503])('repeats once: %d', async (status) => {
    server.http.next(server.replies.status(status), server.replies.embeddings());
    await expect(model(provider.name).embed(['a'], 'document')).resolves.toHaveLength(1);
    expect(server.http.requests).toHaveLength(2);
  });

  it.each([400, 401, 403])('does not repeat a refusal: %d', async (status) => {
    server.http.next(server.replies.status(status));
    await expect(codeOf(model(provider.name).embed(['a'], 'document'))).resolves.toBe('EMBEDDING_ERROR');
    expect(server.http.requests).toHaveLength(1);
  });

  it.each([
    ['document', 30_000],
    ['query', 8000],
  ] as const)('ends and closes an attempt without an answer: %s after %d ms', async (kind, limit) => {
    const clock = new ManualClock();
    server.http.next(server.replies.stall());
    const code = codeOf(model(provider.name, clock, { EXT_RETRY_MAX_ATTEMPTS: '1' }).embed(['a'], kind));
    await server.http.until(({ requests }) => requests.length === 1);
    clock.advance(limit - 1);
    await settle();
    expect(server.http.abandoned).toBe(0);
    clock.advance(1);
    await expect(code).resolves.toBe('EMBEDDING_ERROR');
    await server.http.until(({ abandoned }) => abandoned === 1);
  });

  it('closes the request and throws the reason when aborted', async () => {
    server.http.next(server.replies.stall());
    const controller = new AbortController();
    const outcome = expect(model(provider.name).embed(['a'], 'query', controller.signal)).rejects.toThrow('gone');
    await server.http.until(({ requests }) => requests.length === 1);
    controller.abort(new Error('gone'));
    await outcome;
    await server.http.until(({ abandoned }) => abandoned === 1);
  });

  it('stops calling after five failures in a row', async () => {
    const embeddings = model(provider.name, new SystemClock(), { EXT_RETRY_MAX_ATTEMPTS: '1' });
    for (let n = 0; n < 5; n += 1) {
      server.http.next(server.replies.status(500));
      await expect(codeOf(embeddings.embed(['a'], 'document'))).resolves.toBe('EMBEDDING_ERROR');
    }
    await expect(codeOf(embeddings.embed(['a'], 'document'))).resolves.toBe('INTEGRATION_UNAVAILABLE');
    expect(server.http.requests).toHaveLength(5);
  });

  it('answers a repeated query from memory', async () => {
    server.http.next(server.replies.embeddings(), server.replies.embeddings());
    const embeddings = model(provider.name);
    const first = await embeddings.embed(['question'], 'query');
    await expect(embeddings.embed(['question'], 'query')).resolves.toEqual(first);
    expect(server.http.requests).toHaveLength(1);
    await embeddings.embed(['question'], 'document');
    expect(server.http.requests).toHaveLength(2);
  });
});

describe('openai', () => {
  beforeEach(async () => {
    server = await startOpenAiServer();
  });
  afterEach(() => server.close());

  it('asks for 768 dimensions and puts the vectors into the order of the texts', async () => {
    server.http.next(server.replies.embeddings());
    const vectors = await model('openai').embed(['a', 'bb', 'ccc'], 'document');
    expect(vectors.map(([first]) => first)).toEqual([1, 2, 3]);
    expect(server.http.requests[0]?.body).toMatchObject({ model: 'text-embedding-3-small', dimensions: 768 });
  });

  it('keeps a request below 300 000 tokens', async () => {
    server.http.next(server.replies.embeddings(), server.replies.embeddings());
    const half = 'x'.repeat(4 * 160_000);
    await model('openai').embed([half, half], 'document');
    expect(server.http.requests).toHaveLength(2);
  });

  it('waits as long as the provider asks', async () => {
    const clock = new ManualClock();
    server.http.next(server.replies.status(429, { 'Retry-After': '3' }), server.replies.embeddings());
    const result = model('openai', clock).embed(['a'], 'document');
    await server.http.until(({ requests }) => requests.length === 1);
    const state = { answered: false };
    void result.then(() => (state.answered = true));
    while (!state.answered && clock.monotonic() < 60_000) {
      await settle();
      if (server.http.requests.length === 1) clock.advance(100);
    }
    await result;
    expect(server.http.requests).toHaveLength(2);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(3000);
  });
});

describe('vertex', () => {
  beforeEach(async () => {
    server = await startVertexServer();
  });
  afterEach(() => server.close());

  it.each([
    ['document', 'RETRIEVAL_DOCUMENT'],
    ['query', 'RETRIEVAL_QUERY'],
  ] as const)('names the task of a %s and asks for 768 dimensions', async (kind, task) => {
    server.http.next(server.replies.embeddings());
    await model('vertex').embed(['a'], kind);
    expect(server.http.requests[0]?.path).toContain('/publishers/google/models/text-embedding-004:predict');
    expect(server.http.requests[0]?.body).toEqual({
      instances: [{ content: 'a', task_type: task }],
      parameters: { outputDimensionality: 768 },
    });
  });

  it('brings vectors to length 1', async () => {
    server.http.next(server.replies.embeddings());
    const [vector] = await model('vertex').embed(['four'], 'document');
    expect(vector?.[0]).toBe(1);
  });

  it('sends one text per request to Gemini embedding models', async () => {
    server.http.next(server.replies.embeddings(), server.replies.embeddings());
    const env = { VERTEX_EMBEDDING_MODEL: 'gemini-embedding-001' };
    await model('vertex', new SystemClock(), env).embed(['a', 'b'], 'document');
    expect(server.http.requests).toHaveLength(2);
  });
});
