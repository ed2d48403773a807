import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PROVIDER_TEXT } from '../../../test/harness/model-server.js';
import { rerankReplies as replies, startRerankServer } from '../../../test/harness/rerank-server.js';
import type { RerankServer } from '../../../test/harness/rerank-server.js';
import { isAppError } from '../../kernel/errors.js';
import { SystemIds } from '../../kernel/ids.js';
import { loadSettings, SettingsError } from '../../kernel/settings.js';
import { ManualClock, SystemClock } from '../../kernel/time.js';
import type { Clock } from '../../kernel/time.js';
import { createReranker } from './create-models.js';
import { modelSettings } from './model-gateway.settings.js';
import type { Reranker } from './reranker.js';

function create(env: Record<string, string>, clock: Clock = new SystemClock()): Reranker {
  return createReranker(loadSettings(env, [modelSettings]).get(modelSettings), clock, new SystemIds());
}

describe('without a reranker', () => {
  it('says so, and refuses to be asked', async () => {
    const reranker = create({});
    expect([reranker.id, reranker.enabled]).toEqual(['none', false]);
    await expect(reranker.rerank('q', ['a'])).rejects.toThrow('`enabled`');
  });

  it('is not asked although an address is set', () => {
    expect(create({ RERANKER_URL: 'http://localhost/rerank' }).enabled).toBe(false);
  });

  // Every search of an installation that was told to rerank would silently go without.
  it('refuses to start with a provider but no address', () => {
    expect(() => create({ RERANKER_PROVIDER: 'http' })).toThrow(SettingsError);
    expect(() => create({ RERANKER_PROVIDER: 'http' })).toThrow('RERANKER_URL is required');
  });
});

describe('http', () => {
  let server: RerankServer;
  beforeEach(async () => {
    server = await startRerankServer();
  });
  afterEach(() => server.close());

  const reranker = (env: Record<string, string> = {}, clock: Clock = new SystemClock()): Reranker =>
    create({ ...server.env, EXT_RETRY_BACKOFF_MS: '0', ...env }, clock);

  async function failure(result: Promise<unknown>): Promise<string> {
    const error: unknown = await result.then(
      () => new Error('resolved'),
      (thrown: unknown) => thrown,
    );
    if (!isAppError(error)) throw error;
    expect(error.message).not.toContain(PROVIDER_TEXT);
    return error.code;
  }

  it('gives the relevance of each text in the order of the texts', async () => {
    const texts = ['all about cats', 'release notes', 'the release gates'];
    await expect(reranker().rerank('release gates', texts)).resolves.toEqual([0, 0.5, 1]);
  });

  it('sends what the API asks for', async () => {
    await reranker().rerank('why?', ['a', 'b']);
    expect(server.http.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1/rerank',
        headers: { authorization: 'Bearer test-key' },
        body: { model: 'test-reranker', query: 'why?', documents: ['a', 'b'], top_n: 2, return_documents: false },
      },
    ]);
    expect(reranker().id).toBe('http/test-reranker');
  });

  it('needs neither a key nor a model', async () => {
    const plain = reranker({ RERANKER_API_KEY: '', RERANKER_MODEL: '' });
    await plain.rerank('q', ['a']);
    expect(server.http.requests[0]?.headers.authorization).toBeUndefined();
    expect(server.http.requests[0]?.body).not.toHaveProperty('model');
    expect(plain.id).toMatch(/^http\/127\.0\.0\.1:\d+$/);
  });

  it('makes no request for no text', async () => {
    await expect(reranker().rerank('q', [])).resolves.toEqual([]);
    expect(server.http.requests).toHaveLength(0);
  });

  it.each([
    ['scores from 0 to 1 as they are', [0.25, 0, 1], [0.25, 0, 1]],
    ['similarities, cut at 0', [-0.3, 0.5, 0.9], [0, 0.5, 0.9]],
    ['logits as probabilities', [-2, 0, 2], [0.1192, 0.5, 0.8808]],
  ])('reads %s', async (_what, scores, expected) => {
    server.http.next(replies.scores(...scores.map((score, index) => [index, score] as const)));
    const relevance = await reranker().rerank('q', ['a', 'b', 'c']);
    expect(relevance.map((value) => Number(value.toFixed(4)))).toEqual(expected);
  });

  // A text with a score of another would be cited first, with nothing to show for the mistake.
  it.each([
    ['a missing entry', replies.scores([0, 0.5])],
    ['an entry too many', replies.scores([0, 0.5], [1, 0.5], [2, 0.5])],
    ['an index twice', replies.scores([0, 0.5], [0, 0.6])],
    ['an index out of range', replies.scores([0, 0.5], [2, 0.5])],
    ['a negative index', replies.scores([0, 0.5], [-1, 0.5])],
    ['a fraction as index', replies.scores([0, 0.5], [0.5, 0.5])],
    ['no number', replies.scores([0, 0.5], [1, null])],
    ['a text as score', replies.scores([0, 0.5], [1, '0.5'])],
    [
      'an infinite score',
      replies.body('{"results":[{"index":0,"relevance_score":1e999},{"index":1,"relevance_score":0}]}'),
    ],
    ['another shape', replies.body('[]')],
    ['no JSON', replies.body('<html>')],
  ])('refuses an answer with %s, without asking again', async (_what, reply) => {
    server.http.next(reply);
    await expect(failure(reranker().rerank('q', ['a', 'b']))).resolves.toBe('RERANK_ERROR');
    expect(server.http.requests).toHaveLength(1);
  });

  it.each([429, 500, 503])('repeats once: %d', async (status) => {
    server.http.next(replies.status(status));
    await expect(reranker().rerank('a', ['a'])).resolves.toEqual([1]);
    expect(server.http.requests).toHaveLength(2);
  });

  it('repeats after a dropped connection', async () => {
    server.http.next(replies.hangUp());
    await expect(reranker().rerank('a', ['a'])).resolves.toEqual([1]);
    expect(server.http.requests).toHaveLength(2);
  });

  it.each([400, 401, 404, 422])('does not repeat a refusal: %d', async (status) => {
    server.http.next(replies.status(status));
    await expect(failure(reranker().rerank('a', ['a']))).resolves.toBe('RERANK_ERROR');
    expect(server.http.requests).toHaveLength(1);
  });

  it('ends and closes an attempt without an answer', async () => {
    const clock = new ManualClock();
    server.http.next(replies.stall());
    const code = failure(reranker({ EXT_RETRY_MAX_ATTEMPTS: '1' }, clock).rerank('a', ['a']));
    await server.http.until(({ requests }) => requests.length === 1);
    clock.advance(8000);
    await expect(code).resolves.toBe('RERANK_ERROR');
    await server.http.until(({ abandoned }) => abandoned === 1);
  });

  it('closes the request and throws the reason when aborted', async () => {
    server.http.next(replies.stall());
    const controller = new AbortController();
    const outcome = expect(reranker().rerank('a', ['a'], controller.signal)).rejects.toThrow('gone');
    await server.http.until(({ requests }) => requests.length === 1);
    controller.abort(new Error('gone'));
    await outcome;
    await server.http.until(({ abandoned }) => abandoned === 1);
  });

  it('stops calling after five failures in a row', async () => {
    const once = reranker({ EXT_RETRY_MAX_ATTEMPTS: '1' });
    for (let n = 0; n < 5; n += 1) {
      server.http.next(replies.status(500));
      await expect(failure(once.rerank('a', ['a']))).resolves.toBe('RERANK_ERROR');
    }
    await expect(failure(once.rerank('a', ['a']))).resolves.toBe('INTEGRATION_UNAVAILABLE');
    expect(server.http.requests).toHaveLength(5);
  });
});
