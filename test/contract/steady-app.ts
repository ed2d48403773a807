import type { AuditWriter } from '../../src/features/audit/index.js';
import { AuditTrail } from '../../src/kernel/audit.js';
import { silentLog } from '../../src/kernel/log.js';
import type { Route } from '../../src/kernel/operation.js';
import { loadSettings } from '../../src/kernel/settings.js';
import {
  createAppendLogs,
  createSharedState,
  createTrafficGate,
  sharedStateSettings,
} from '../../src/platform/shared-state/index.js';
import { TestApp, type Actor } from '../harness/app.js';
import { QuietClock, RoundTrips, type RoundTrip } from '../harness/round-trips.js';
import { testRedisUrl } from '../harness/services.js';
import { BILLING, callOf, furnish, idle, MOVES, send } from './examples.js';

/** Limits that are asked and never reached. */
const AMPLE = Object.fromEntries(
  ['KEY_RUN', 'KEY_MUTATION', 'KEY_READ', 'TENANT_RUN', 'TENANT_MUTATION', 'TENANT_READ', 'KEY_OPS', 'TENANT_OPS'].map(
    (limit) => [`RL_${limit}_BURST`, '100000'],
  ),
);

/** The application, its waits noted, as it is after it has run for a while. */
export class SteadyApp {
  private constructor(
    readonly app: TestApp,
    readonly admin: Actor,
    readonly trips: RoundTrips,
  ) {}

  /** @param more settings beside those of a steady state. */
  static async start(more: Readonly<Record<string, string>> = {}): Promise<SteadyApp> {
    const env: Record<string, string> = testRedisUrl === undefined ? {} : { REDIS_URL: testRedisUrl };
    const settings = loadSettings(env, [sharedStateSettings]).get(sharedStateSettings);
    const [clock, trips] = [new QuietClock(), new RoundTrips()];
    const state = trips.counted(createSharedState(settings, clock, silentLog));
    // A run adds frames to its log while it streams them and waits for none of them.
    const appendLogs = trips.counted(createAppendLogs(settings, clock, silentLog, state, Infinity), ['append']);
    // Nobody waits for units to be given back.
    const gate = trips.counted(createTrafficGate(settings, clock, silentLog), ['giveBack']);
    const app = await TestApp.start(
      {
        AUTH_CACHE_TTL_S: '300',
        SELF_SERVE_MAX_ACTIVE_KEYS: '1000',
        RATE_LIMIT_ENABLED: 'true',
        ...AMPLE,
        ...BILLING,
        ...MOVES,
        ...more,
      },
      { clock, state, appendLogs, gate },
    );
    trips.countStatements(app.dataSource);
    return new SteadyApp(app, await app.actor('admin'), trips);
  }

  /** What a request waited for whose key, connection and code paths were used a moment ago. */
  async roundTrips(id: string, headers: Readonly<Record<string, string>> = {}): Promise<RoundTrip[]> {
    const { app, admin } = this;
    const route = this.#routeOf(id);
    const warm = await furnish(app, admin);
    const named = await furnish(app, admin);
    await send(app, callOf(route, warm), admin.token);
    await idle(app, admin.tenantId);
    // A request that finds the buffer of the audit trail full has it written, and waits for that no more than others.
    await app.app.nest.get<AuditTrail, AuditWriter>(AuditTrail).flush();
    await admin.get('/v1/corpora').expect(200);
    const response = await send(app, callOf(route, named), admin.token).set(headers).expect(route.operation.status);
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
