import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueryRunner } from 'typeorm';
import type { Route } from '../../src/kernel/operation.js';
import { tryContext } from '../../src/kernel/context.js';
import { silentLog } from '../../src/kernel/log.js';
import { loadSettings } from '../../src/kernel/settings.js';
import { SystemClock, type Timer } from '../../src/kernel/time.js';
import { createSharedState, sharedStateSettings, type SharedState } from '../../src/platform/shared-state/index.js';
import { TestApp, type Actor } from '../harness/app.js';
import { testRedisUrl } from '../harness/services.js';
import { callOf, EXAMPLES, furnish, idle, send, type Ids } from './examples.js';

/** One wait for the database or for the shared state. */
interface RoundTrip {
  readonly to: 'database' | 'shared state';
  readonly requestId: string | undefined;
  /** Whether the pipeline was done and the handler at work. */
  readonly inHandler: boolean;
  /** Delivery of jobs, which the commit wakes and nobody waits for. It sees all tenants, as no handler does. */
  readonly delivery: boolean;
  readonly what: string;
}

/**
 * What one request costs in all when its key is known: statements, and calls of the shared state. A transaction has
 * two besides its own, which name the tenant and commit. The run searches a corpus that is smaller than what it asks
 * for, which costs it a second search. Change a number knowingly: each is a wait for the network.
 */
const TOTALS: Readonly<Record<string, readonly [statements: number, calls: number]>> = {
  'corpora.create': [5, 0],
  'corpora.delete': [12, 0],
  'corpora.get': [1, 0],
  'corpora.list': [1, 0],
  'corpora.update': [6, 0],
  'documents.createText': [13, 0],
  'documents.delete': [8, 0],
  'documents.get': [1, 0],
  'documents.list': [1, 0],
  'documents.reindex': [8, 0],
  'documents.upload': [13, 0],
  'health.get': [0, 0],
  'health.live': [0, 0],
  'health.ready': [3, 1],
  'run.create': [15, 0],
};

/** Without maintenance, which would take connections at moments of its own. Short waits of requests are kept. */
class QuietClock extends SystemClock {
  override after(ms: number, callback: () => void): Timer {
    return ms < 1000 ? super.after(ms, callback) : { cancel: () => undefined };
  }
}

let app: TestApp;
let admin: Actor;
const trips: RoundTrip[] = [];

beforeAll(async () => {
  const env: Record<string, string> = testRedisUrl === undefined ? {} : { REDIS_URL: testRedisUrl };
  const settings = loadSettings(env, [sharedStateSettings]).get(sharedStateSettings);
  const clock = new QuietClock();
  const state = counted(createSharedState(settings, clock, silentLog));
  app = await TestApp.start({ AUTH_CACHE_TTL_S: '300' }, { clock, state });
  countStatements(app);
  admin = await app.actor('admin');
});
afterAll(() => app.close());

function note(to: RoundTrip['to'], what: string, acrossTenants = false): void {
  const context = tryContext();
  /** Jobs carry the id of the request that asked for them, and were opened by no pipeline. */
  const requestId = context?.trail[0] === 'context' ? context.requestId : undefined;
  const inHandler = context?.trail.includes('handler') ?? false;
  trips.push({ to, requestId, inHandler, delivery: inHandler && acrossTenants, what });
}

/** The shared state, noting each of its calls. */
function counted(state: SharedState): SharedState {
  return new Proxy(state, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]): unknown => {
        note('shared state', String(name));
        return Reflect.apply(value, target, parameters);
      };
    },
  });
}

/** Notes each statement that a connection sends from now on. */
function countStatements({ dataSource }: TestApp): void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = create(mode);
    const query = runner.query.bind(runner) as (...parameters: unknown[]) => Promise<unknown>;
    let acrossTenants = false;
    const noting = (...parameters: unknown[]): Promise<unknown> => {
      const statement = String(parameters[0]).replaceAll(/\s+/g, ' ').trim();
      acrossTenants ||= statement.includes('nexusrag_system');
      note('database', statement, acrossTenants);
      return query(...parameters);
    };
    runner.query = noting as QueryRunner['query'];
    return runner;
  };
}

function routeOf(id: string): Route {
  const route = app.app.manifest.routes.find(({ operation }) => operation.id === id);
  if (route === undefined) throw new Error(`${id} is no operation.`);
  return route;
}

/** What a request waited for whose key, connection and code paths were used a moment ago. */
async function steady(id: string): Promise<RoundTrip[]> {
  const warm = await furnish(app, admin);
  const named: Ids = await furnish(app, admin);
  await send(app, callOf(routeOf(id), warm), admin.token);
  await idle(app, admin.tenantId);
  await admin.get('/v1/corpora').expect(200);
  const response = await send(app, callOf(routeOf(id), named), admin.token);
  expect(response.status).toBe(routeOf(id).operation.status);
  const requestId = response.get('X-Request-Id');
  return trips.filter((trip) => trip.requestId === requestId && !trip.delivery);
}

describe('a request in steady state', () => {
  // The control path runs before everything: a wait more in it is a wait more in every request of every customer.
  it.each(Object.keys(EXAMPLES))(
    '%s waits at most once for each store before its handler, and in all as listed',
    async (id) => {
      const found = await steady(id);
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
      expect((await steady(id)).filter(({ inHandler }) => !inHandler)).toEqual([]);
    }
  });

  it('reads one row with exactly one statement', async () => {
    const statements = (await steady('corpora.get')).map(({ what }) => what);
    expect(statements).toEqual([expect.stringMatching(/^SELECT .* FROM corpora WHERE tenant_id = \$1 AND id = \$2$/)]);
  });
});

describe('the first request with a key', () => {
  it('looks it up before the handler, which is what the counter must be able to see', async () => {
    const { corpus } = await furnish(app, admin);
    const newcomer = await app.actor('reader', admin.tenantId);
    const response = await newcomer.get(`/v1/corpora/${corpus}`).expect(200);
    const before = trips.filter(({ requestId, inHandler }) => requestId === response.get('X-Request-Id') && !inHandler);
    expect(before.map(({ what }) => what)).toEqual(expect.arrayContaining([expect.stringMatching(/FROM api_keys/)]));
  });
});
