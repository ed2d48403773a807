import { silentLog } from '../../src/kernel/log.js';
import type { Route } from '../../src/kernel/operation.js';
import { loadSettings } from '../../src/kernel/settings.js';
import { createAppendLogs, createSharedState, sharedStateSettings } from '../../src/platform/shared-state/index.js';
import { TestApp, type Actor } from '../harness/app.js';
import { QuietClock, RoundTrips, type RoundTrip } from '../harness/round-trips.js';
import { testRedisUrl } from '../harness/services.js';
import { callOf, furnish, idle, send } from './examples.js';

/** The application, its waits noted, as it is after it has run for a while. */
export class SteadyApp {
  private constructor(
    readonly app: TestApp,
    readonly admin: Actor,
    readonly trips: RoundTrips,
  ) {}

  static async start(): Promise<SteadyApp> {
    const env: Record<string, string> = testRedisUrl === undefined ? {} : { REDIS_URL: testRedisUrl };
    const settings = loadSettings(env, [sharedStateSettings]).get(sharedStateSettings);
    const [clock, trips] = [new QuietClock(), new RoundTrips()];
    const state = trips.counted(createSharedState(settings, clock, silentLog));
    // A run adds frames to its log while it streams them and waits for none of them.
    const appendLogs = trips.counted(createAppendLogs(settings, clock, silentLog, state, Infinity), ['append']);
    const app = await TestApp.start({ AUTH_CACHE_TTL_S: '300' }, { clock, state, appendLogs });
    trips.countStatements(app.dataSource);
    return new SteadyApp(app, await app.actor('admin'), trips);
  }

  /** What a request waited for whose key, connection and code paths were used a moment ago. */
  async roundTrips(id: string): Promise<RoundTrip[]> {
    const { app, admin } = this;
    const route = this.#routeOf(id);
    const warm = await furnish(app, admin);
    const named = await furnish(app, admin);
    await send(app, callOf(route, warm), admin.token);
    await idle(app, admin.tenantId);
    await admin.get('/v1/corpora').expect(200);
    const response = await send(app, callOf(route, named), admin.token).expect(route.operation.status);
    return this.trips.of(response.get('X-Request-Id') ?? '');
  }

  close(): Promise<void> {
    return this.app.close();
  }

  #routeOf(id: string): Route {
    const route = this.app.app.manifest.routes.find(({ operation }) => operation.id === id);
    if (route === undefined) throw new Error(`${id} is no operation.`);
    return route;
  }
}
