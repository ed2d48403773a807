import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FloodAudit } from '../../../src/features/rate-limits/application/flood-audit.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { ShiftedClock } from '../auth/shifted-clock.js';
import { bodyOf, eventsOf, expectUsed, setQuota, type Json } from '../quotas/meter.js';

const SUMMARY = '/v1/self-serve/usage/summary';
const SERIES = '/v1/self-serve/usage/timeseries';
const PLAN = '/v1/self-serve/plan';
/** Reads that a key may send in all. */
const BURST = 20;

const clock = new ShiftedClock();
let app: TestApp;

beforeAll(async () => {
  // At noon, so that no day ends while the tests run.
  const now = new Date();
  clock.advance((new Date(now).setUTCHours(12, 0, 0, 0) - now.getTime()) / 1000);
  const limits = { RATE_LIMIT_ENABLED: 'true', RL_KEY_READ_RPS: '0', RL_KEY_READ_BURST: String(BURST) };
  app = await TestApp.start({ ...limits, RL_TENANT_READ_BURST: '1000' }, { clock });
});
afterAll(() => app.close());

const daysAgo = (days: number): Date => new Date(clock.now().getTime() - days * 86_400_000);
const dateOf = (days: number): string => daysAgo(days).toISOString().slice(0, 10);

async function dataOf(admin: Actor, path: string): Promise<Json> {
  return bodyOf(await admin.get(path).expect(200)).data;
}

async function usedOn(days: number, requests: number, { tenantId }: Actor): Promise<void> {
  await app.rows(
    `INSERT INTO usage_rollups (tenant_id, day, route_class, requests_count) VALUES ($1, $2, 'read', $3)`,
    [tenantId, dateOf(days), requests],
  );
}

describe('the summary', () => {
  it('04 §6 case 8: covers 30 days, and counts by the four route classes and with itself', async () => {
    const [admin, stranger] = [await app.actor('admin'), await app.actor('admin')];
    const corpus = bodyOf(await admin.post('/v1/corpora', { name: 'a' }).expect(201)).data['id'];
    await admin.get('/v1/audit/events').expect(200);
    const run = { session_id: 's', corpus_id: corpus, message: 'Hello?', stream: false };
    await admin.post('/v1/run', run).expect(200);
    await expectUsed(app, admin, 5);
    await usedOn(29, 100, admin);
    await usedOn(30, 1000, admin);
    await usedOn(1, 10_000, stranger);
    expect(await dataOf(admin, SUMMARY)).toEqual({
      window_days: 30,
      requests: { total: 104, by_route_class: { run: 1, read: 101, mutation: 1, ops: 1 } },
      quota: {
        day: { limit: null, used: 6, remaining: null },
        month: { limit: null, used: 6, remaining: null },
        soft_cap_reached: false,
        hard_cap_mode: 'enforce',
      },
      rate_limit_hits: { count: 0, last_at: null },
      ingestion: { queued: 0, processing: 0, succeeded: 0, failed: 0 },
    });
  });

  it.each(['window_days=91', 'window_days=0', 'window_days=1.5', 'window_days=x', 'days=3'])(
    '04 §6 case 8: 422 for %s',
    async (query) => {
      const admin = await app.actor('admin');
      expect(bodyOf(await admin.get(`${SUMMARY}?${query}`).expect(422)).error.code).toBe('REQUEST_VALIDATION_ERROR');
    },
  );

  it('covers as many days as asked for, at most 90', async () => {
    const admin = await app.actor('admin');
    for (const [days, requests] of [
      [1, 10],
      [89, 100],
      [90, 1000],
    ] as const) {
      await usedOn(days, requests, admin);
    }
    const total = async (days: number): Promise<unknown> => {
      const { requests } = await dataOf(admin, `${SUMMARY}?window_days=${days}`);
      return (requests as Json)['total'];
    };
    expect(await total(1)).toBe(1);
    await expectUsed(app, admin, 1);
    expect(await total(2)).toBe(12);
    await expectUsed(app, admin, 2);
    expect(await total(90)).toBe(113);
  });

  it('shows the quota as the headers of the same answer do', async () => {
    const admin = await app.actor('admin');
    const limits = { daily_requests_limit: 4, monthly_requests_limit: 50, soft_cap_ratio: 0.25 };
    await setQuota(admin, { ...limits, hard_cap_enabled: false });
    const response = await admin.get(SUMMARY).expect(200);
    expect(bodyOf(response).data['quota']).toEqual({
      day: { limit: 4, used: 1, remaining: 3 },
      month: { limit: 50, used: 1, remaining: 49 },
      soft_cap_reached: true,
      hard_cap_mode: 'observe',
    });
    expect(response.get('X-Quota-Day-Used')).toBe('1');
    expect(response.get('X-Quota-SoftCap-Reached')).toBe('true');
  });

  // The trail has two rows for a flood: a number of rows would say 2 whatever happened.
  it('counts every request that a rate limit refused in these days, and when the last one was', async () => {
    const admin = await app.actor('admin');
    const reader = await app.actor('reader', admin.tenantId);
    const hits = async (days: number): Promise<unknown> => {
      await app.audit(admin.tenantId);
      return (await dataOf(admin, `${SUMMARY}?window_days=${days}`))['rate_limit_hits'];
    };
    const answers = await Promise.all(Array.from({ length: BURST + 5 }, () => reader.get('/v1/corpora')));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(5);
    expect(await hits(30)).toEqual({ count: 1, last_at: expect.any(String) });
    app.app.nest.get(FloodAudit, { strict: false }).beforeApplicationShutdown();
    const { count, last_at } = (await hits(30)) as { count: number; last_at: string };
    expect(count).toBe(5);
    expect(Math.abs(new Date(last_at).getTime() - clock.now().getTime())).toBeLessThan(60_000);
    await app.rows(
      `INSERT INTO audit_events (occurred_at, tenant_id, actor_type, event_type, outcome, metadata_json)
       VALUES ($2, $1, 'api_key', 'security.rate_limited', 'failure', '{"repeats": 7}'),
              ($3, $1, 'api_key', 'security.rate_limited', 'failure', '{"repeats": 1000}'),
              ($2, 'another', 'api_key', 'security.rate_limited', 'failure', '{"repeats": 1000}')`,
      [admin.tenantId, daysAgo(1), daysAgo(2)],
    );
    expect(await hits(2)).toEqual({ count: 12, last_at });
  });

  it('counts the ingestions of these days by how they stand', async () => {
    const admin = await app.actor('admin');
    const corpus = bodyOf(await admin.post('/v1/corpora', { name: 'a' }).expect(201)).data['id'];
    await admin.post('/v1/documents/text', { corpus_id: corpus, document_id: 'd', text: 'A text.' }).expect(202);
    await app.rows(
      `INSERT INTO ingest_jobs (tenant_id, id, document_id, generation, kind, status, created_at)
       SELECT $1, n, 'd', 1, 'reindex', s, $2::timestamptz - make_interval(days => d)
         FROM (VALUES ('1', 'failed', 3), ('2', 'failed', 29), ('3', 'failed', 31), ('4', 'queued', 0)) AS v (n, s, d)`,
      [admin.tenantId, clock.now()],
    );
    const counts = async (): Promise<Json> => (await dataOf(admin, SUMMARY))['ingestion'] as Json;
    const { queued, processing, succeeded, failed } = await counts();
    expect(failed).toBe(2);
    expect(Number(queued) + Number(processing) + Number(succeeded)).toBe(2);
  });
});

describe('the time series', () => {
  it('04 §6 case 9: of three days has three points, today last, and 0 for a day without requests', async () => {
    const admin = await app.actor('admin');
    await usedOn(2, 7, admin);
    await usedOn(3, 100, admin);
    expect(await dataOf(admin, `${SERIES}?metric=requests&granularity=day&days=3`)).toEqual({
      metric: 'requests',
      granularity: 'day',
      points: [
        { ts: dateOf(2), value: 7 },
        { ts: dateOf(1), value: 0 },
        { ts: dateOf(0), value: 1 },
      ],
    });
  });

  it('covers 30 days unless asked otherwise', async () => {
    const { points } = await dataOf(await app.actor('admin'), SERIES);
    expect((points as Json[]).map(({ ts }) => ts)).toEqual(Array.from({ length: 30 }, (_, n) => dateOf(29 - n)));
  });

  it.each(['metric=tokens', 'granularity=hour', 'days=0', 'days=91', 'window_days=3'])('422 for %s', async (query) => {
    const admin = await app.actor('admin');
    expect(bodyOf(await admin.get(`${SERIES}?${query}`).expect(422)).error.code).toBe('REQUEST_VALIDATION_ERROR');
  });
});

describe('the plan', () => {
  it('04 §6 case 14: shows every entitlement sorted, as they are for the tenant, and the quota', async () => {
    const admin = await app.actor('admin', await app.tenant('pro'));
    const override = { feature_key: 'feature.identity.scim', enabled: true, config_json: { a: 1 } };
    await admin.patch(`/v1/admin/plans/${admin.tenantId}/overrides`, override).expect(200);
    const { entitlements, ...plan } = await dataOf(admin, PLAN);
    const quota = (limit: number): Json => ({ limit, used: 0, remaining: limit });
    expect(plan).toEqual({
      tenant_id: admin.tenantId,
      plan_id: 'pro',
      plan_name: 'Pro',
      quota: { day: quota(10_000), month: quota(200_000), soft_cap_reached: false, hard_cap_mode: 'enforce' },
    });
    const features = entitlements as { feature_key: string; enabled: boolean; config_json: unknown }[];
    const keys = features.map(({ feature_key }) => feature_key);
    expect(keys).toHaveLength(17);
    expect(keys).toEqual([...keys].sort());
    expect(features).toContainEqual(override);
    expect(features).toContainEqual({ feature_key: 'feature.tts', enabled: true, config_json: null });
    expect(features).toContainEqual({ feature_key: 'feature.chargeback_reports', enabled: false, config_json: null });
  });

  it('is shown to an admin whose quota is used up, and takes nothing from it', async () => {
    const admin = await app.actor('admin', await app.tenant('free'));
    await setQuota(admin, { daily_requests_limit: 1 });
    await admin.get('/v1/corpora').expect(200);
    await admin.get(SUMMARY).expect(402);
    const { plan_id, quota } = await dataOf(admin, PLAN);
    expect([plan_id, (quota as Json)['day']]).toEqual(['free', { limit: 1, used: 1, remaining: 0 }]);
  });
});

it('whoever looked is in the audit trail', async () => {
  const admin = await app.actor('admin');
  for (const path of [`${SUMMARY}?window_days=7`, `${SERIES}?days=3`, PLAN]) await dataOf(admin, path);
  const views = [
    ...(await eventsOf(app, admin, 'selfserve.usage.viewed')),
    ...(await eventsOf(app, admin, 'selfserve.plan.viewed')),
  ];
  expect(views.map(({ metadata_json, actor_id }) => [metadata_json, actor_id])).toEqual([
    [{ window_days: 7 }, admin.keyId],
    [{ metric: 'requests', granularity: 'day', days: 3 }, admin.keyId],
    [{ plan_id: 'enterprise' }, admin.keyId],
  ]);
});
