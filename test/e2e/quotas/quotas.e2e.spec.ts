import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import {
  QuotaEvents,
  Usage,
  UsagePruning,
  type HardCapBlocked,
  type SoftCapReached,
} from '../../../src/features/quotas/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { ShiftedClock } from '../auth/shifted-clock.js';
import { bodyOf, eventsOf, expectUsed, ledgerOf, quotaOf, setQuota, type QuotaChanges } from './meter.js';

const DAY_S = 86_400;

/** Hears what the billing webhook would. */
class RecordedEvents extends QuotaEvents {
  readonly softCaps: SoftCapReached[] = [];
  readonly blocks: HardCapBlocked[] = [];
  isDown = false;

  async softCapReached(event: SoftCapReached): Promise<void> {
    if (this.isDown) throw new Error('Nobody is there.');
    this.softCaps.push(event);
  }

  async hardCapBlocked(event: HardCapBlocked): Promise<void> {
    this.blocks.push(event);
  }
}

const clock = new ShiftedClock();
const events = new RecordedEvents();
let app: TestApp;

beforeAll(async () => {
  // In the middle of the next month, so that neither a day nor a month ends by itself while the tests run.
  const now = new Date();
  const noon = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 10, 12);
  clock.advance((noon - now.getTime()) / 1000);
  app = await TestApp.start({}, { clock });
  const bound = app.app.nest.get(QuotaEvents, { strict: false });
  bound.softCapReached = (event) => events.softCapReached(event);
  bound.hardCapBlocked = (event) => events.hardCapBlocked(event);
});
afterAll(() => app.close());

async function admin(quota: QuotaChanges = {}): Promise<Actor> {
  const actor = await app.actor('admin');
  await setQuota(actor, quota);
  return actor;
}

const get = (actor: Actor) => actor.get('/v1/corpora');

describe('200', () => {
  it('04.1 case 1: tells limit, use and rest of day and month', async () => {
    const actor = await admin({ daily_requests_limit: 10, monthly_requests_limit: 20 });
    expect(quotaOf(await get(actor).expect(200))).toBe('10/1/9 20/1/19 false enforce');
  });

  it('04.1 case 10: is unlimited on a plan without limits', async () => {
    const actor = await app.actor('admin');
    expect(quotaOf(await get(actor).expect(200))).toBe('unlimited/1/unlimited unlimited/1/unlimited false enforce');
  });

  it('has the limits of the plan until somebody sets others, and when the plan changes', async () => {
    const actor = await app.actor('admin', await app.tenant('free'));
    expect(quotaOf(await get(actor).expect(200))).toBe('500/1/499 10000/1/9999 false enforce');
    await setQuota(actor, { soft_cap_ratio: 0.5 });
    expect(quotaOf(await get(actor).expect(200))).toBe('500/2/498 10000/2/9998 false enforce');
    await actor.patch(`/v1/admin/plans/${actor.tenantId}`, { plan_id: 'pro' }).expect(200);
    expect(quotaOf(await get(actor).expect(200))).toBe('10000/3/9997 200000/3/199997 false enforce');
    const feature = { feature_key: 'feature.high_quota_tier', enabled: true };
    await actor.patch(`/v1/admin/plans/${actor.tenantId}/overrides`, feature).expect(200);
    expect(quotaOf(await get(actor).expect(200))).toMatch(/^unlimited\/4/);
  });

  it('04.1 case 2: reaches the soft cap of a period once', async () => {
    const actor = await admin({ daily_requests_limit: 4, monthly_requests_limit: 10, soft_cap_ratio: 0.5 });
    const answers = [await get(actor), await get(actor), await get(actor)];
    expect(answers.map((response) => response.get('X-Quota-SoftCap-Reached'))).toEqual(['false', 'true', 'true']);
    const [event, ...others] = await eventually(async () => {
      const found = await eventsOf(app, actor, 'quota.soft_cap_reached');
      expect(found).not.toEqual([]);
      return found;
    });
    expect(others).toEqual([]);
    expect(event).toMatchObject({ metadata_json: { period: 'day', used: 2, limit: 4, soft_cap_ratio: 0.5 } });
    expect(events.softCaps).toContainEqual({ period: 'day', used: 2, limit: 4, soft_cap_ratio: 0.5 });
  });

  it('04.1 case 4: goes beyond the limit while the hard cap is off, and is audited each time', async () => {
    const actor = await admin({ daily_requests_limit: 1, hard_cap_enabled: false });
    await get(actor).expect(200);
    expect(quotaOf(await get(actor).expect(200))).toBe('1/2/0 unlimited/2/unlimited true observe');
    await get(actor).expect(200);
    await eventually(async () => {
      const observed = await eventsOf(app, actor, 'quota.overage_observed');
      expect(observed.map(({ metadata_json }) => metadata_json)).toEqual([
        { day_used: 2, day_limit: 1, month_used: 2, month_limit: null },
        { day_used: 3, day_limit: 1, month_used: 3, month_limit: null },
      ]);
    });
  });

  // A webhook whose receiver hangs must cost the customer's request nothing.
  it('04.1 case 11: does not wait for whoever hears of it, who is told again by the next request', async () => {
    const actor = await admin({ daily_requests_limit: 10, soft_cap_ratio: 0.1 });
    events.isDown = true;
    try {
      await get(actor).expect(200);
      await expectUsed(app, actor, 1);
      await eventually(() => expect(app.logs).toContainEqual(expect.objectContaining({ msg: NOT_ANNOUNCED })));
    } finally {
      events.isDown = false;
    }
    expect(await eventsOf(app, actor, 'quota.soft_cap_reached')).toEqual([]);
    await get(actor).expect(200);
    await eventually(async () => expect(await eventsOf(app, actor, 'quota.soft_cap_reached')).toHaveLength(1));
    expect(events.softCaps).toContainEqual({ period: 'day', used: 2, limit: 10, soft_cap_ratio: 0.1 });
  });

  it('04.1 case 12: reaches a soft cap of 1.0 with the last unit', async () => {
    const actor = await admin({ daily_requests_limit: 2, soft_cap_ratio: 1 });
    expect((await get(actor)).get('X-Quota-SoftCap-Reached')).toBe('false');
    expect((await get(actor)).get('X-Quota-SoftCap-Reached')).toBe('true');
  });

  it('01.8 case 5: a stream and an empty answer carry all eight headers', async () => {
    const actor = await admin({ daily_requests_limit: 100 });
    const corpus = await actor.post('/v1/corpora', { name: 'a' }).expect(201);
    const id = String(bodyOf(corpus).data['id']);
    const run = { session_id: 's', corpus_id: id, message: 'Hello?' };
    expect(quotaOf(await actor.post('/v1/run', run).expect(200))).toBe('100/4/96 unlimited/4/unlimited false enforce');
    expect(quotaOf(await actor.delete(`/v1/corpora/${id}`).expect(204))).toBe(
      '100/5/95 unlimited/5/unlimited false enforce',
    );
    await expectUsed(app, actor, 5);
  });
});

const NOT_ANNOUNCED = 'the state of a quota was not announced; the next request tries again';

describe('402', () => {
  it('04.1 case 3: refuses what is beyond the day, counts nothing, and says when to come back', async () => {
    const actor = await admin({ daily_requests_limit: 1 });
    await get(actor).expect(200);
    const refused = await get(actor).expect(402);
    expect(bodyOf(refused).error).toEqual({
      code: 'QUOTA_EXCEEDED',
      message: 'Daily request quota exceeded',
      details: { period: 'day', limit: 1, used: 1, remaining: 0, cost: 1, resets_at: midnight() },
    });
    expect(quotaOf(refused)).toBe('1/1/0 unlimited/1/unlimited true enforce');
    const wait = Number(refused.get('Retry-After'));
    expect(Math.abs(wait - (new Date(midnight()).getTime() - clock.now().getTime()) / 1000)).toBeLessThan(5);
    await expectUsed(app, actor, 1);
    const [blocked] = await eventsOf(app, actor, 'quota.hard_cap_blocked');
    expect(blocked).toMatchObject({
      outcome: 'failure',
      error_code: 'QUOTA_EXCEEDED',
      metadata_json: { period: 'day', day_used: 1, day_limit: 1, month_used: 1, month_limit: null },
    });
  });

  it('has the shape of before v1 on an unversioned path', async () => {
    const actor = await admin({ daily_requests_limit: 0 });
    const refused = await actor.get('/corpora').expect(402);
    expect(refused.body).toEqual({
      detail: {
        code: 'QUOTA_EXCEEDED',
        message: 'Daily request quota exceeded',
        period: 'day',
        limit: 0,
        used: 0,
        remaining: 0,
        cost: 1,
        resets_at: midnight(),
      },
    });
  });

  it('04.1 case 5: refuses a run that needs more than is left, and lets a smaller request pass', async () => {
    const actor = await admin({ daily_requests_limit: 5 });
    const corpus = await actor.post('/v1/corpora', { name: 'a' }).expect(201);
    await get(actor).expect(200);
    await get(actor).expect(200);
    const run = { session_id: 's', corpus_id: bodyOf(corpus).data['id'], message: 'Hello?' };
    const refused = await actor.post('/v1/run', run).expect(402);
    expect(bodyOf(refused).error.details).toMatchObject({ used: 3, remaining: 2, cost: 3 });
    expect(quotaOf(await get(actor).expect(200))).toMatch(/^5\/4\/1 /);
  });

  it('04.1 case 6: names the month when both are used up', async () => {
    const actor = await admin({ daily_requests_limit: 1, monthly_requests_limit: 1 });
    await get(actor).expect(200);
    const { error } = bodyOf(await get(actor).expect(402));
    expect([error.message, error.details['period']]).toEqual(['Monthly request quota exceeded', 'month']);
  });

  it('04.1 case 12: refuses everything at a limit of 0, which has no soft cap', async () => {
    const actor = await admin({ daily_requests_limit: 0 });
    expect((await get(actor).expect(402)).get('X-Quota-SoftCap-Reached')).toBe('false');
    await app.app.nest.get(UsagePruning, { strict: false }).sweep();
    expect(await eventsOf(app, actor, 'quota.soft_cap_reached')).toEqual([]);
  });

  it('is announced once a minute, and audited each time', async () => {
    const actor = await admin({ daily_requests_limit: 0, monthly_requests_limit: 77 });
    for (let times = 0; times < 3; times += 1) await get(actor).expect(402);
    expect(await eventsOf(app, actor, 'quota.hard_cap_blocked')).toHaveLength(3);
    const announced = { period: 'day', day_used: 0, day_limit: 0, month_used: 0, month_limit: 77 };
    await eventually(() => expect(events.blocks).toContainEqual(announced));
    expect(events.blocks.filter(({ month_limit }) => month_limit === 77)).toHaveLength(1);
  });

  it('never meets an admin who comes to raise the limit', async () => {
    const actor = await admin({ daily_requests_limit: 0 });
    await get(actor).expect(402);
    const shown = await actor.get(`/v1/admin/quotas/${actor.tenantId}`).expect(200);
    expect(quotaOf(shown)).toBe('0/0/0 unlimited/0/unlimited false enforce');
    await setQuota(actor, { daily_requests_limit: 1 });
    await get(actor).expect(200);
  });

  function midnight(): string {
    const now = clock.now();
    return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)).toISOString();
  }
});

describe('what costs nothing', () => {
  it('04.1 case 7, 01.8 case 3: a request that is not valid, and one of too small a role', async () => {
    const actor = await admin({ daily_requests_limit: 10 });
    const reader = await app.actor('reader', actor.tenantId);
    await actor.post('/v1/corpora', { colour: 'red' }).expect(422);
    await reader.post('/v1/corpora', { name: 'a' }).expect(403);
    await eventually(async () => {
      const shown = await actor.get(`/v1/admin/quotas/${actor.tenantId}`);
      expect(quotaOf(shown)).toBe('10/0/10 unlimited/0/unlimited false enforce');
    });
    expect((await get(actor)).get('X-Quota-Day-Used')).toBe('1');
    await expectUsed(app, actor, 1);
  });

  it.each([
    ['a message that is too long', '/v1/run', { message: 'a'.repeat(32_001) }, {}],
    ['a filter that is none', '/v1/run', { filter: { label: { nested: true } } }, {}],
    ['a parent receipt that is not there', '/v1/run', { parent_receipt_id: `01${'0'.repeat(24)}` }, {}],
    ['no id of an event', '/v1/run', {}, { 'Last-Event-ID': 'abc' }],
    ['no id of an event, for a run to be read again', '/v1/runs/r/events', undefined, { 'Last-Event-ID': 'abc' }],
  ])('04.1 case 7, 01.8 case 3: %s, which only the handler can tell', async (_, path, body, headers) => {
    const actor = await admin({ daily_requests_limit: 10 });
    await actor.post('/v1/corpora', { id: 'c', name: 'a' }).expect(201);
    const run = { session_id: 's', corpus_id: 'c', message: 'Hello?', ...body };
    const refused = await (body === undefined ? actor.get(path) : actor.post(path, run)).set(headers).expect(422);
    expect([bodyOf(refused).error.code, refused.get('X-Quota-Day-Used')]).toEqual(['REQUEST_VALIDATION_ERROR', '1']);
    await eventually(async () => {
      const shown = await actor.get(`/v1/admin/quotas/${actor.tenantId}`);
      expect(quotaOf(shown)).toBe('10/1/9 unlimited/1/unlimited false enforce');
    });
    await expectUsed(app, actor, 1);
  });

  it('04.1 case 7, 01.8 case 7: a replay', async () => {
    const actor = await admin({ daily_requests_limit: 10 });
    const create = () => actor.post('/v1/corpora', { name: 'Once' }).set('Idempotency-Key', 'once').expect(201);
    expect((await create()).get('X-Quota-Day-Used')).toBe('1');
    for (let times = 0; times < 3; times += 1) {
      const replay = await create();
      expect(replay.get('Idempotency-Replayed')).toBe('true');
    }
    await eventually(async () => {
      const shown = await actor.get(`/v1/admin/quotas/${actor.tenantId}`);
      expect(quotaOf(shown)).toBe('10/1/9 unlimited/1/unlimited false enforce');
    });
    await expectUsed(app, actor, 1);
  });

  it('a request that the service fails', async () => {
    const actor = await admin({ daily_requests_limit: 10 });
    const { chat } = app.infrastructure;
    const corpus = await actor.post('/v1/corpora', { name: 'a' }).expect(201);
    const stream = chat.stream.bind(chat);
    chat.stream = () => {
      throw new Error('The model fails.');
    };
    try {
      const run = { session_id: 's', corpus_id: bodyOf(corpus).data['id'], message: 'Hello?', stream: false };
      expect((await actor.post('/v1/run', run)).status).toBeGreaterThanOrEqual(500);
    } finally {
      chat.stream = stream;
    }
    await eventually(async () => expect((await get(actor)).get('X-Quota-Day-Remaining')).toBe('8'));
  });
});

describe('many at once', () => {
  it('04.1 case 9: 100 clients with 50 units get exactly 50', async () => {
    const actor = await admin({ daily_requests_limit: 50 });
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await get(actor)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 402)).toHaveLength(50);
    await expectUsed(app, actor, 50);
  });

  // What is not valid holds a unit for a moment: it may delay others, and must take nothing from them for good.
  it('never pass the limit while invalid requests come between, and use it up in the end', async () => {
    const actor = await admin({ daily_requests_limit: 50 });
    const send = (index: number) => (index % 2 === 0 ? get(actor) : actor.post('/v1/corpora', { colour: 'red' }));
    const statuses = await Promise.all(Array.from({ length: 120 }, async (_, index) => (await send(index)).status));
    let passed = statuses.filter((status) => status === 200).length;
    expect(passed).toBeLessThanOrEqual(50);
    await eventually(async () => expect(await ledgerOf(app, actor.tenantId)).toEqual({ day: passed, month: passed }));
    await eventually(async () => {
      const { status } = await get(actor);
      if (status === 200) passed += 1;
      expect([status, passed]).toEqual([402, 50]);
    });
    await expectUsed(app, actor, 50);
  });
});

describe('periods', () => {
  it('04.1 case 8: a new day starts at 0 and the month goes on; a new month starts both', async () => {
    const actor = await admin({ daily_requests_limit: 10, monthly_requests_limit: 20 });
    await get(actor).expect(200);
    await get(actor).expect(200);
    clock.advance(DAY_S);
    expect(quotaOf(await get(actor).expect(200))).toBe('10/1/9 20/3/17 false enforce');
    await eventually(async () => expect(await ledgerOf(app, actor.tenantId)).toEqual({ day: 1, month: 3 }));
    clock.advance(30 * DAY_S);
    expect(quotaOf(await get(actor).expect(200))).toBe('10/1/9 20/1/19 false enforce');
    await expectUsed(app, actor, 1);
    const rows = await app.rows(`SELECT period_type FROM usage_counters WHERE tenant_id = $1`, [actor.tenantId]);
    expect(rows).toHaveLength(5);
  });
});

describe('GET and PATCH /v1/admin/quotas/{tenant}', () => {
  it('04.2 case 1, 2: are for admins, of their own tenant', async () => {
    const actor = await admin();
    const reader = await app.actor('reader', actor.tenantId);
    await reader.get(`/v1/admin/quotas/${actor.tenantId}`).expect(403);
    await actor.get(`/v1/admin/quotas/${actor.tenantId}`).expect(200);
    const other = await app.tenant();
    for (const path of [`/v1/admin/quotas/${other}`, `/v1/admin/usage/${other}?start=2026-02-17`]) {
      expect(bodyOf(await actor.get(path).expect(403)).error.code).toBe('AUTH_FORBIDDEN');
    }
    expect(bodyOf(await actor.patch(`/v1/admin/quotas/${other}`, {}).expect(403)).error.code).toBe('AUTH_FORBIDDEN');
  });

  it('show what holds when nothing was set', async () => {
    const actor = await app.actor('admin', await app.tenant('free'));
    expect(bodyOf(await actor.get(`/v1/admin/quotas/${actor.tenantId}`).expect(200)).data).toEqual({
      tenant_id: actor.tenantId,
      daily_requests_limit: 500,
      monthly_requests_limit: 10_000,
      daily_tokens_limit: null,
      monthly_tokens_limit: null,
      soft_cap_ratio: 0.8,
      hard_cap_enabled: true,
    });
  });

  it('04.2 case 3, 6: a change holds from the next request on; null is unlimited, what is absent stays', async () => {
    const actor = await app.actor('admin', await app.tenant('free'));
    await setQuota(actor, { daily_requests_limit: 10, monthly_requests_limit: 30 });
    expect((await get(actor)).get('X-Quota-Day-Limit')).toBe('10');
    await setQuota(actor, { daily_requests_limit: null });
    expect(quotaOf(await get(actor))).toBe('unlimited/2/unlimited 30/2/28 false enforce');
  });

  it('04.2 case 4: refuse what is no limit', async () => {
    const actor = await admin();
    const path = `/v1/admin/quotas/${actor.tenantId}`;
    const wrong = [
      { soft_cap_ratio: 1.2 },
      { soft_cap_ratio: null },
      { hard_cap_enabled: null },
      { daily_requests_limit: -1 },
      { daily_requests_limit: 1.5 },
      { monthly_requests_limit: 2_147_483_648 },
      { monthly_requests_limit: '10' },
    ];
    for (const changes of wrong) expect([changes, (await actor.patch(path, changes)).status]).toEqual([changes, 422]);
  });

  it('04.2 case 7: a change is audited with before and after', async () => {
    const actor = await admin({ daily_requests_limit: 5 });
    await setQuota(actor, { daily_requests_limit: 7, soft_cap_ratio: 0.5 });
    const updates = await eventsOf(app, actor, 'quota.limits.updated');
    expect(updates.at(-1)).toMatchObject({
      resource_id: actor.tenantId,
      metadata_json: {
        before: { daily_requests_limit: 5, soft_cap_ratio: 0.8, daily_tokens_limit: null },
        after: { daily_requests_limit: 7, soft_cap_ratio: 0.5, daily_tokens_limit: null },
      },
    });
  });

  it('a limit below what is used leaves it as it is, and nothing remains', async () => {
    const actor = await admin({ daily_requests_limit: 5 });
    for (let times = 0; times < 3; times += 1) await get(actor).expect(200);
    await setQuota(actor, { daily_requests_limit: 2 });
    const refused = await get(actor).expect(402);
    expect(bodyOf(refused).error.details).toMatchObject({ limit: 2, used: 3, remaining: 0 });
    expect(quotaOf(refused)).toMatch(/^2\/3\/0 /);
  });

  it('warn of a daily limit that never takes effect', async () => {
    const actor = await admin();
    const path = `/v1/admin/quotas/${actor.tenantId}`;
    const odd = await actor.patch(path, { daily_requests_limit: 10, monthly_requests_limit: 5 }).expect(200);
    expect(odd.get('Warning')).toContain('never takes effect');
    const sound = await actor.patch(path, { daily_requests_limit: 5 }).expect(200);
    expect(sound.get('Warning')).toBeUndefined();
  });
});

describe('GET /v1/admin/usage/{tenant}', () => {
  it('04.2 case 5: starts the period where it starts, and is 0 where nothing was used', async () => {
    const actor = await admin();
    const path = `/v1/admin/usage/${actor.tenantId}`;
    const month = await actor.get(`${path}?period=month&start=2026-02-17`).expect(200);
    expect(bodyOf(month).data).toEqual({
      tenant_id: actor.tenantId,
      period_type: 'month',
      period_start: '2026-02-01T00:00:00+00:00',
      requests_count: 0,
      estimated_tokens_count: null,
    });
    const day = await actor.get(`${path}?start=2026-02-17`).expect(200);
    expect(bodyOf(day).data['period_start']).toBe('2026-02-17T00:00:00+00:00');
    for (const query of ['', '?start=yesterday', '?start=2026-02-31', '?start=2026-02-17&period=week']) {
      expect([query, (await actor.get(path + query)).status]).toEqual([query, 422]);
    }
  });

  it('counts units, at once', async () => {
    const actor = await admin();
    await get(actor).expect(200);
    await actor.post('/v1/corpora', { name: 'a' }).expect(201);
    const today = clock.now().toISOString().slice(0, 10);
    const used = await eventually(async () => {
      const response = await actor.get(`/v1/admin/usage/${actor.tenantId}?period=month&start=${today}`).expect(200);
      const count = bodyOf(response).data['requests_count'] as number;
      expect(count).toBeGreaterThanOrEqual(2);
      return count;
    });
    expect(used).toBeLessThan(10);
  });
});

describe('what was used', () => {
  it('is told by route class and by day, with today last', async () => {
    const actor = await admin({ daily_requests_limit: 50 });
    await get(actor).expect(200);
    clock.advance(2 * DAY_S);
    await get(actor).expect(200);
    const corpus = await actor.post('/v1/corpora', { name: 'a' }).expect(201);
    const run = { session_id: 's', corpus_id: bodyOf(corpus).data['id'], message: 'Hello?' };
    await actor.post('/v1/run', run).expect(200);
    await expectUsed(app, actor, 5);
    const usage = app.app.nest.get(Usage, { strict: false });
    const told = await app.as(actor.tenantId, async () => ({
      snapshot: await usage.snapshot(),
      summary: await usage.summary(2),
      series: await usage.timeseries(3),
    }));
    const today = clock.now().getTime();
    const day = (ago: number): string => new Date(today - ago * DAY_S * 1000).toISOString().slice(0, 10);
    // The request that set the limits came first.
    expect(told).toEqual({
      snapshot: {
        day: { limit: 50, used: 5, remaining: 45 },
        month: { limit: null, used: 6, remaining: null },
        soft_cap_reached: false,
        hard_cap_mode: 'enforce',
      },
      summary: { total: 3, by_route_class: { run: 1, read: 1, mutation: 1, ops: 0 } },
      series: [
        { ts: day(2), value: 2 },
        { ts: day(1), value: 0 },
        { ts: day(0), value: 3 },
      ],
    });
  });

  it('04.7 case 4: is forgotten after 120 days, and not before', async () => {
    const actor = await admin();
    const at = (days: number): Date => new Date(clock.now().getTime() - days * DAY_S * 1000);
    for (const days of [121, 119]) {
      await app.rows(
        `INSERT INTO usage_counters (tenant_id, period_type, period_start, requests_count) VALUES ($1, 'day', $2, 1)`,
        [actor.tenantId, at(days)],
      );
      await app.rows(`INSERT INTO usage_rollups (tenant_id, day, route_class) VALUES ($1, $2, 'read')`, [
        actor.tenantId,
        at(days).toISOString().slice(0, 10),
      ]);
      await app.rows(
        `INSERT INTO quota_soft_cap_events (tenant_id, id, period_type, period_start, metric)
         VALUES ($1, $2, 'day', $3, 'requests')`,
        [actor.tenantId, String(days), at(days)],
      );
    }
    await app.app.nest.get(UsagePruning, { strict: false }).sweep();
    const left = await app.rows(
      `SELECT (SELECT count(*)::int FROM usage_counters WHERE tenant_id = $1 AND requests_count = 1) AS counters,
              (SELECT count(*)::int FROM usage_rollups WHERE tenant_id = $1 AND requests_count = 0) AS rollups,
              (SELECT count(*)::int FROM quota_soft_cap_events WHERE tenant_id = $1) AS events`,
      [actor.tenantId],
    );
    expect(left).toEqual([{ counters: 1, rollups: 1, events: 1 }]);
  });
});

describe('a client that goes away', () => {
  // Otherwise whoever hangs up early works for free.
  it('is charged', async () => {
    const actor = await admin({ daily_requests_limit: 10 });
    const request = supertest(app.url).get('/v1/corpora').set('Authorization', `Bearer ${actor.token}`);
    const sent = new Promise<void>((resolve) => request.on('request', () => resolve()));
    request.end(() => undefined);
    await sent;
    request.abort();
    await get(actor).expect(200);
    const served = () =>
      app.logs.filter((line) => line['tenant_id'] === actor.tenantId && line['operation'] === 'corpora.list');
    await eventually(() => expect(served().length).toBeGreaterThan(0));
    await eventually(async () => expect((await ledgerOf(app, actor.tenantId)).day).toBe(served().length));
  });
});
