import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditSealing } from '../../../src/features/audit/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { bodyOf, eventsOf } from '../quotas/meter.js';

let app: TestApp;
let admin: Actor;
let neighbour: Actor;

beforeAll(async () => {
  app = await TestApp.start();
  admin = await app.actor('admin');
  neighbour = await app.actor('admin');
});
afterAll(() => app.close());

const run = (actor: Actor, task: string) => actor.post(`/v1/admin/maintenance/run?task=${task}`);
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

async function expectDeleted(actor: Actor, task: string, rows: number): Promise<void> {
  const { data } = bodyOf(await run(actor, task).expect(200));
  expect(data).toEqual({ task, status: 'completed', deleted_rows: rows });
}

describe('prune_idempotency', () => {
  it('04 §7 cases 1 and 3: deletes the expired records of the tenant, not the live ones, nor those of others', async () => {
    for (const { tenantId } of [admin, neighbour]) {
      await app.rows(
        `INSERT INTO idempotency_records
           (tenant_id, id, actor_id, method, path, idem_key, request_hash, state, owner, locked_until, expires_at)
         SELECT $1, id, 'k', 'POST', '/', 'i', 'h', 'in_progress', 'o', now(), now() + expires::interval
           FROM (VALUES ('old', '-30 days'), ('just', '-1 second'), ('live', '1 minute')) AS v (id, expires)`,
        [tenantId],
      );
    }
    await expectDeleted(admin, 'prune_idempotency', 2);
    const left = ({ tenantId }: Actor): Promise<{ id: string }[]> =>
      app.rows(`SELECT id FROM idempotency_records WHERE tenant_id = $1 ORDER BY id`, [tenantId]);
    expect(await left(admin)).toEqual([{ id: 'live' }]);
    expect(await left(neighbour)).toHaveLength(3);
    await expectDeleted(admin, 'prune_idempotency', 0);
  });

  it('is replayed with its Idempotency-Key', async () => {
    const keyed = () => run(admin, 'prune_idempotency').set('Idempotency-Key', 'nightly').expect(200);
    const first = await keyed();
    const second = await keyed();
    expect([second.text, second.get('Idempotency-Replayed')]).toEqual([first.text, 'true']);
  });
});

describe('prune_audit', () => {
  it('04 §7 cases 2 and 3: deletes what is 91 days old, keeps what is 89, and the events of others', async () => {
    // The first events of a tenant, as its oldest are.
    const tenants = [await app.tenant('free'), await app.tenant('free')] as const;
    for (const tenant of tenants) {
      await app.rows(
        `INSERT INTO audit_events (occurred_at, tenant_id, actor_type, event_type, outcome)
         SELECT at, $1, 'system', 'documents.deleted', 'success' FROM unnest($2::timestamptz[]) at`,
        [tenant, [daysAgo(92), daysAgo(91), daysAgo(89)]],
      );
    }
    const [owner] = [await app.actor('admin', tenants[0]), await app.actor('admin', tenants[1])];
    const left = (tenant: string): Promise<unknown[]> =>
      app.rows(`SELECT FROM audit_events WHERE tenant_id = $1 AND event_type = 'documents.deleted'`, [tenant]);
    await eventually(async () => {
      await app.app.nest.get(AuditSealing).run();
      const sealed = await app.rows(`SELECT FROM audit_seals WHERE tenant_id = ANY ($1)`, [tenants]);
      expect(sealed.length).toBeGreaterThanOrEqual(2);
    });
    await expectDeleted(owner, 'prune_audit', 2);
    expect(await left(tenants[0])).toHaveLength(1);
    expect(await left(tenants[1])).toHaveLength(3);
    expect(await eventsOf(app, owner, 'audit.pruned')).toMatchObject([{ metadata_json: { deleted_rows: 2 } }]);
  });
});

describe('prune_usage', () => {
  it('04 §7 cases 3 and 4: deletes usage of 121 days ago with its marks, keeps that of 119 days, and that of others', async () => {
    for (const { tenantId } of [admin, neighbour]) {
      for (const days of [121, 119]) {
        await app.rows(`INSERT INTO usage_counters (tenant_id, period_type, period_start) VALUES ($1, 'day', $2)`, [
          tenantId,
          daysAgo(days),
        ]);
        await app.rows(`INSERT INTO usage_rollups (tenant_id, day, route_class) VALUES ($1, $2, 'read')`, [
          tenantId,
          daysAgo(days).slice(0, 10),
        ]);
        await app.rows(
          `INSERT INTO quota_soft_cap_events (tenant_id, id, period_type, period_start, metric)
           VALUES ($1, $2, 'day', $3, 'requests')`,
          [tenantId, String(days), daysAgo(days)],
        );
      }
    }
    await expectDeleted(admin, 'prune_usage', 3);
    const old = async ({ tenantId }: Actor): Promise<unknown> => {
      const [counts] = await app.rows(
        `SELECT (SELECT count(*)::int FROM usage_counters WHERE tenant_id = $1 AND period_start < $2) AS counters,
                (SELECT count(*)::int FROM usage_rollups WHERE tenant_id = $1 AND day < $2) AS rollups,
                (SELECT count(*)::int FROM quota_soft_cap_events WHERE tenant_id = $1 AND period_start < $2) AS marks`,
        [tenantId, daysAgo(60)],
      );
      return counts;
    };
    expect(await old(admin)).toEqual({ counters: 1, rollups: 1, marks: 1 });
    expect(await old(neighbour)).toEqual({ counters: 2, rollups: 2, marks: 2 });
  });
});

describe('a task', () => {
  it.each(['cleanup_actions', 'prune_everything', 'constructor'])(
    '04 §7 case 5: that is unknown is 422 and named with those that there are: %s',
    async (task) => {
      const { error } = bodyOf(await run(admin, task).expect(422));
      expect(error).toEqual({
        code: 'VALIDATION_ERROR',
        message: 'task must be one of prune_idempotency, prune_audit, prune_usage, prune_permissions.',
      });
    },
  );

  it('must be named', async () => {
    const { error } = bodyOf(await admin.post('/v1/admin/maintenance/run').expect(422));
    expect(error.code).toBe('REQUEST_VALIDATION_ERROR');
  });

  it('is in the audit trail, with who asked and what it deleted', async () => {
    const actor = await app.actor('admin');
    await run(actor, 'prune_usage').expect(200);
    await run(actor, 'unknown').expect(422);
    expect(await eventsOf(app, actor, 'maintenance.task.run')).toMatchObject([
      {
        actor_id: actor.keyId,
        outcome: 'success',
        resource_id: 'prune_usage',
        metadata_json: { task: 'prune_usage', deleted_rows: 0 },
      },
    ]);
  });
});
