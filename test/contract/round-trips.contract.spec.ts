import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RoundTrip } from '../harness/round-trips.js';
import { EXAMPLES, furnish } from './examples.js';
import { SteadyApp } from './steady-app.js';

/**
 * What one request costs in all when its key is known: statements, and calls of the shared state. A transaction has
 * two besides its own, which name the tenant and commit. The run searches a corpus that is smaller than what it asks
 * for, which costs it a second search. Change a number knowingly: each is a wait for the network.
 */
const TOTALS: Readonly<Record<string, readonly [statements: number, calls: number]>> = {
  'corpora.create': [5, 0],
  'corpora.delete': [13, 0],
  'corpora.get': [1, 0],
  'corpora.index': [2, 0],
  'corpora.list': [1, 0],
  'corpora.reembed': [7, 0],
  'corpora.search': [6, 0],
  'corpora.update': [6, 0],
  'documents.content': [1, 0],
  'documents.createText': [13, 0],
  'documents.delete': [9, 0],
  'documents.get': [1, 0],
  'documents.list': [1, 0],
  'documents.reindex': [8, 0],
  'documents.upload': [13, 0],
  'health.get': [0, 0],
  'health.live': [0, 0],
  'health.ready': [3, 1],
  'run.create': [14, 0],
  'run.events': [0, 1],
  'sessions.delete': [5, 1],
  'sessions.list': [1, 0],
  'sessions.messages': [1, 0],
};

let steady: SteadyApp;

beforeAll(async () => {
  steady = await SteadyApp.start();
});
afterAll(() => steady.close());

describe('a request in steady state', () => {
  // The control path runs before everything: a wait more in it is a wait more in every request of every customer.
  it.each(Object.keys(EXAMPLES))(
    '%s waits at most once for each store before its handler, and in all as listed',
    async (id) => {
      const found = await steady.roundTrips(id);
      const before = found.filter(({ inHandler }) => !inHandler);
      expect(before.filter(({ to }) => to === 'database').length).toBeLessThanOrEqual(1);
      expect(before.filter(({ to }) => to === 'shared state').length).toBeLessThanOrEqual(1);
      const count = (to: RoundTrip['to']): number => found.filter((trip) => trip.to === to).length;
      const log = found.map(({ to, what }) => `${to}: ${what}`);
      expect([count('database'), count('shared state'), ...log]).toEqual([...(TOTALS[id] ?? []), ...log]);
    },
  );

  it('waits for nothing at all before its handler while only authentication needs a store', async () => {
    for (const id of ['corpora.get', 'documents.list', 'corpora.create']) {
      expect((await steady.roundTrips(id)).filter(({ inHandler }) => !inHandler)).toEqual([]);
    }
  });

  it('reads one row with exactly one statement', async () => {
    const statements = (await steady.roundTrips('corpora.get')).map(({ what }) => what);
    expect(statements).toEqual([expect.stringMatching(/^SELECT .* FROM corpora WHERE tenant_id = \$1 AND id = \$2$/)]);
  });
});

describe('the first request with a key', () => {
  it('looks it up before the handler, which is what the counter must be able to see', async () => {
    const { app, admin, trips } = steady;
    const { corpus } = await furnish(app, admin);
    const newcomer = await app.actor('reader', admin.tenantId);
    const response = await newcomer.get(`/v1/corpora/${corpus}`).expect(200);
    const before = trips.of(response.get('X-Request-Id') ?? '').filter(({ inHandler }) => !inHandler);
    expect(before.map(({ what }) => what)).toEqual(expect.arrayContaining([expect.stringMatching(/FROM api_keys/)]));
  });
});
