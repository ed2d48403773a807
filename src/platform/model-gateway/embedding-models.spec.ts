import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ModelServer } from '../../../test/harness/model-server.js';
import { startOpenAiServer } from '../../../test/harness/openai-server.js';
import { startVertexServer } from '../../../test/harness/vertex-server.js';
import { isAppError } from '../../kernel/errors.js';
import { SystemIds } from '../../kernel/ids.js';
import { loadSettings } from '../../kernel/settings.js';
import { SystemClock } from '../../kernel/time.js';
import { createEmbeddingModel } from './create-models.js';
import { EmbeddingModels } from './embedding-models.js';
import { fakeEmbedding } from './fake-embedding.js';
import { modelSettings } from './model-gateway.settings.js';

let openai: ModelServer;
let vertex: ModelServer;

beforeEach(async () => {
  [openai, vertex] = await Promise.all([startOpenAiServer(), startVertexServer()]);
});
afterEach(() => Promise.all([openai.close(), vertex.close()]));

/** As an installation makes them. */
function models(env: Record<string, string>): EmbeddingModels {
  const settings = loadSettings(env, [modelSettings]).get(modelSettings);
  const [clock, ids] = [new SystemClock(), new SystemIds()];
  return new EmbeddingModels(createEmbeddingModel(settings, clock, ids), settings, clock, ids);
}

describe('EmbeddingModels', () => {
  it('has the configured model under its id, always the same one', () => {
    const { current } = models({});
    expect(current.id).toBe('fake-v1');
    const configured = models({ ...openai.env, EMBEDDING_PROVIDER: 'openai', OPENAI_EMBEDDING_MODEL: 'new' });
    expect(configured.current.id).toBe('openai/new');
    expect(configured.of('openai/new')).toBe(configured.current);
  });

  // The provider was changed yesterday; until a corpus has vectors of the new one, its questions need the old one.
  it('can still call the models that were configured before', async () => {
    openai.http.next(openai.replies.embeddings(), openai.replies.embeddings());
    vertex.http.next(vertex.replies.embeddings());
    const known = models({ ...openai.env, ...vertex.env, EMBEDDING_PROVIDER: 'vertex', VERTEX_EMBEDDING_MODEL: 'now' });
    const old = known.of('openai/old/with a slash');
    expect(old.id).toBe('openai/old/with a slash');
    expect((await old.embed(['abc'], 'query'))[0]?.[0]).toBe(3);
    expect(openai.http.requests[0]?.body).toMatchObject({ model: 'old/with a slash', input: ['abc'] });
    expect(openai.http.requests[0]?.headers.authorization).toBe('Bearer test-key');
    await known.of('openai/older').embed(['abc'], 'query');
    expect(openai.http.requests[1]?.body).toMatchObject({ model: 'older' });
    await known.current.embed(['abc'], 'query');
    expect(vertex.http.requests).toHaveLength(1);
    expect((await known.of('fake-v1').embed(['abc'], 'query'))[0]).toEqual(fakeEmbedding('abc'));
  });

  it('can call another model of the provider that is configured', async () => {
    vertex.http.next(vertex.replies.embeddings());
    const known = models({ ...vertex.env, EMBEDDING_PROVIDER: 'vertex', VERTEX_EMBEDDING_MODEL: 'now' });
    await known.of('vertex/before').embed(['abc'], 'document');
    expect(vertex.http.requests.map(({ path }) => path)).toEqual([expect.stringContaining('/models/before:')]);
  });

  // A breaker and a cache per call would protect nobody.
  it('makes each model once', () => {
    const known = models(openai.env);
    expect(known.of('openai/m')).toBe(known.of('openai/m'));
    expect(known.of('fake-v1')).toBe(known.current);
  });

  it.each(['', 'fake-v9', 'cohere/embed', 'openai/', 'openai'])('does not know %j, and says so', (id) => {
    const attempt = (): unknown => models(openai.env).of(id);
    expect(attempt).toThrow();
    try {
      attempt();
    } catch (error) {
      expect(isAppError(error, 'EMBEDDING_CONFIG_MISSING')).toBe(true);
    }
  });

  it('says what is missing when the provider of an old model cannot be called any more', async () => {
    const call = models({}).of('openai/m').embed(['abc'], 'query');
    await expect(call).rejects.toMatchObject({ code: 'EMBEDDING_CONFIG_MISSING' });
  });
});
