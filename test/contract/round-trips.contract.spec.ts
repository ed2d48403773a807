import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RoundTrip } from '../harness/round-trips.js';
import { EXAMPLES, furnish } from './examples.js';
import { SteadyApp } from './steady-app.js';

/**
 * What one request costs in all when its key is known: statements, and calls of the shared state beside GATE. A
 * transaction has two besides its own, which name the tenant and commit. Of the run, one looks for the parent that it names, one writes its receipt and one the outcome of it. The run searches a corpus that is smaller than
 * what it asks for, which costs it a second search. Statements
 * that see every tenant, as those that change a template, are not counted. Change a number knowingly: each is a wait for the network.
 */
const TOTALS: Readonly<Record<string, readonly [statements: number, calls: number]>> = {
  'access.explain': [3, 0],
  'admin-receipts.get': [2, 0],
  'admin-receipts.list': [1, 0],
  'admin-receipts.replay': [13, 0],
  'admin-receipts.verify': [3, 0],
  'api-keys.list': [1, 0],
  'api-keys.rotate': [9, 1],
  'api-keys.update': [7, 1],
  'audit.export': [4, 0],
  'audit.get': [1, 0],
  'audit.list': [1, 0],
  'audit.verify': [3, 0],
  'authz.posture': [1, 0],
  'billing.testWebhook': [3, 0],
  'corpora.create': [5, 0],
  'corpora.delete': [14, 0],
  'corpora.get': [1, 0],
  'corpora.index': [2, 0],
  'corpora.list': [1, 0],
  'corpora.reembed': [8, 0],
  'corpora.search': [7, 0],
  'corpora.update': [6, 0],
  'documents.content': [1, 0],
  'documents.createText': [13, 0],
  'documents.delete': [10, 0],
  'documents.get': [1, 0],
  'documents.list': [1, 0],
  'documents.reindex': [10, 0],
  'documents.replaceLabels': [7, 0],
  'documents.upload': [13, 0],
  'health.get': [0, 0],
  'health.live': [0, 0],
  'health.ready': [3, 1],
  'key-bindings.create': [6, 1],
  'key-bindings.list': [2, 0],
  'key-bindings.revoke': [6, 2],
  'key-rotations.approve': [9, 2],
  'key-rotations.reject': [8, 2],
  'key-rotations.request': [8, 2],
  'maintenance.run': [4, 0],
  'permissions.grant': [5, 0],
  'permissions.grantMany': [5, 0],
  'permissions.list': [1, 0],
  'permissions.revoke': [4, 0],
  'plans.assign': [6, 1],
  'plans.clearOverride': [3, 1],
  'plans.get': [1, 0],
  'plans.list': [1, 0],
  'plans.override': [5, 1],
  'plans.requestUpgrade': [6, 0],
  'policies.create': [4, 1],
  'policies.delete': [5, 1],
  'policies.disable': [6, 1],
  'policies.enable': [6, 1],
  'policies.get': [1, 0],
  'policies.list': [1, 0],
  'policies.simulate': [2, 0],
  'policies.simulateDraft': [1, 0],
  'policies.update': [5, 1],
  'policies.versions': [1, 0],
  'policy-bundles.activate': [7, 1],
  'policy-bundles.active': [1, 0],
  'policy-bundles.get': [1, 0],
  'policy-bundles.list': [1, 0],
  'policy-bundles.reload': [0, 1],
  'policy-bundles.upload': [5, 1],
  'policy-templates.create': [0, 1],
  'policy-templates.delete': [0, 1],
  'policy-templates.get': [1, 0],
  'policy-templates.list': [1, 0],
  'policy-templates.update': [0, 1],
  'provider-keys.audit': [1, 0],
  'provider-keys.get': [3, 0],
  'provider-keys.list': [1, 0],
  'provider-keys.register': [8, 2],
  'provider-keys.revoke': [9, 2],
  'provider-keys.stream': [2, 0],
  'provider-tiers.delete': [3, 0],
  'provider-tiers.get': [1, 0],
  'provider-tiers.put': [5, 1],
  'providers.create': [5, 0],
  'providers.list': [2, 0],
  'providers.update': [8, 0],
  'quotas.get': [1, 0],
  'quotas.update': [6, 1],
  'receipt-keys.get': [0, 0],
  'receipts.get': [2, 0],
  'receipts.list': [1, 0],
  'receipts.replay': [13, 0],
  'receipts.verify': [3, 0],
  'residency.status': [0, 0],
  'run.create': [18, 0],
  'run.events': [0, 1],
  'self-serve.createKey': [8, 0],
  'self-serve.inactiveKeys': [1, 0],
  'self-serve.listKeys': [1, 0],
  'self-serve.plan': [1, 0],
  'self-serve.revokeKey': [8, 1],
  'self-serve.usageSeries': [1, 1],
  'self-serve.usageSummary': [3, 1],
  'sessions.delete': [6, 1],
  'sessions.list': [1, 0],
  'sessions.messages': [1, 0],
  'tenant-config.get': [1, 0],
  'tenant-config.update': [6, 1],
  'tenant-exports.artifact': [2, 0],
  'tenant-exports.create': [8, 0],
  'tenant-exports.get': [1, 0],
  'tenant-imports.create': [8, 0],
  'tenant-imports.get': [1, 0],
  'tenant-migrations.abort': [1, 1],
  'tenant-migrations.advance': [10, 1],
  'tenant-migrations.create': [7, 0],
  'tenant-migrations.get': [1, 0],
  'tenant-purges.create': [15, 1],
  'tenant-purges.get': [1, 0],
  'tenant-purges.preview': [14, 1],
  'usage.get': [1, 1],
  'vector-db-attachments.create': [10, 1],
  'vector-db-attachments.detach': [7, 1],
  'vector-db-attachments.list': [3, 0],
  'vector-db-incidents.list': [2, 0],
  'vector-db-incidents.log': [6, 0],
  'vector-db-incidents.resolve': [6, 0],
  'vector-db-policies.list': [2, 0],
  'vector-db-policies.upsert': [6, 1],
  'vector-dbs.create': [4, 0],
  'vector-dbs.delete': [6, 0],
  'vector-dbs.get': [2, 0],
  'vector-dbs.governance': [9, 0],
  'vector-dbs.list': [1, 0],
  'webhook-deliveries.get': [2, 0],
  'webhook-deliveries.list': [1, 0],
  'webhook-deliveries.replay': [6, 0],
};

/** The one call before the handler: it decides whatever limits there are. Public operations have none. */
const GATE = 'shared state: pass';

let steady: SteadyApp;

beforeAll(async () => {
  steady = await SteadyApp.start();
});
afterAll(() => steady.close());

const named = ({ to, what }: RoundTrip): string => `${to}: ${what}`;

describe('a request in steady state', () => {
  // The control path runs before everything: a wait more in it is a wait more in every request of every customer.
  it.each(Object.keys(EXAMPLES))(
    '%s waits for nothing but the gate before its handler, and in all as listed',
    async (id) => {
      const found = await steady.roundTrips(id);
      const before = found.filter(({ inHandler }) => !inHandler).map(named);
      expect(before.filter((trip) => trip !== GATE)).toEqual([]);
      expect(before).toHaveLength(/^(health|receipt-keys)\./.test(id) ? 0 : 1);
      const inHandler = found.filter((trip) => named(trip) !== GATE);
      const count = (to: RoundTrip['to']): number => inHandler.filter((trip) => trip.to === to).length;
      const log = inHandler.map(named);
      expect([count('database'), count('shared state'), ...log]).toEqual([...(TOTALS[id] ?? []), ...log]);
    },
  );

  it('waits for the gate and one statement before its handler when it reserves its key, for two more then, and for none to be replayed', async () => {
    const key = { 'Idempotency-Key': 'steady' };
    const found = await steady.roundTrips('corpora.create', key);
    const before = found.filter(({ inHandler }) => !inHandler).map(named);
    expect(before).toEqual([GATE, expect.stringMatching(/INSERT INTO idempotency_records/)]);
    expect(found).toHaveLength((TOTALS['corpora.create']?.[0] ?? 0) + 4);
    const body = { name: 'Steady' };
    await steady.admin.post('/v1/corpora', body).set('Idempotency-Key', 'replayed').expect(201);
    const replay = await steady.admin.post('/v1/corpora', body).set('Idempotency-Key', 'replayed').expect(201);
    const current = replay.get('X-Replay-Request-Id') ?? '';
    expect(steady.trips.of(current).map(named)).toEqual([GATE, expect.stringMatching(/idempotency_records/)]);
  });

  it('reads one row with exactly one statement', async () => {
    const trips = (await steady.roundTrips('corpora.get')).filter(({ to }) => to === 'database');
    const statements = trips.map(({ what }) => what);
    expect(statements).toEqual([expect.stringMatching(/^SELECT .* FROM corpora WHERE tenant_id = \$1 AND id = \$2$/)]);
  });
});

describe('a request where residency is on', () => {
  const PIN = /^SELECT config, version, .* FROM tenant_configs WHERE tenant_id = \$1$/;

  it('waits for its pin besides, and for nothing else; with RESIDENCY_CACHE_TTL_S for as much as without', async () => {
    for (const [ttl, pins] of [
      ['0', [expect.stringMatching(PIN)]],
      ['30', []],
    ] as const) {
      const pinned = await SteadyApp.start({ STATEWAVE_REGION: 'eu', RESIDENCY_CACHE_TTL_S: ttl });
      try {
        const { tenantId } = pinned.admin;
        await pinned.admin.patch(`/v1/admin/tenants/${tenantId}/config`, { region: 'eu' }).expect(200);
        for (const id of ['corpora.get', 'corpora.update', 'documents.createText', 'run.create']) {
          const found = await pinned.roundTrips(id);
          const before = found.filter(({ inHandler }) => !inHandler);
          expect([id, before.map(({ what }) => what)]).toEqual([id, [...pins, 'pass']]);
          // Ingestion of a pinned tenant looks its corpus up once more.
          const more = id === 'documents.createText' ? 1 : 0;
          const inHandler = found.filter((trip) => trip.inHandler && named(trip) !== GATE);
          const count = (to: RoundTrip['to']): number => inHandler.filter((trip) => trip.to === to).length;
          const [statements = 0, calls = 0] = TOTALS[id] ?? [];
          expect([id, count('database'), count('shared state')]).toEqual([id, statements + more, calls]);
        }
      } finally {
        await pinned.close();
      }
    }
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
