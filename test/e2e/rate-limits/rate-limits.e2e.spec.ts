import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { SETTINGS } from '../../../src/app/catalogue.js';
import { silentLog } from '../../../src/kernel/log.js';
import { loadSettings, SettingsError } from '../../../src/kernel/settings.js';
import { SystemClock } from '../../../src/kernel/time.js';
import { RedisGate } from '../../../src/platform/shared-state/redis-gate.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { Hop } from '../../harness/hop.js';
import { Replica } from '../../harness/replica.js';
import { testRedisUrl } from '../../harness/services.js';
import { until } from '../../harness/until.js';
import { ShiftedClock } from '../auth/shifted-clock.js';

const LIMITS = {
  RATE_LIMIT_ENABLED: 'true',
  RL_KEY_READ_RPS: '1',
  RL_KEY_READ_BURST: '2',
  RL_TENANT_READ_RPS: '0.01',
  RL_TENANT_READ_BURST: '1000',
  RL_TENANT_MUTATION_RPS: '0.01',
  RL_TENANT_MUTATION_BURST: '2',
  RL_KEY_RUN_RPS: '0.01',
  RL_KEY_RUN_BURST: '3',
};

const clock = new SystemClock();
const statuses = (responses: readonly Response[]): number[] => responses.map(({ status }) => status);

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadSettings(env, SETTINGS);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
}

/** `RateLimit` or `RateLimit-Policy` as `{ policy: { r: …, t: … } }`. */
function fieldOf(response: Response, name: string): Record<string, Record<string, number>> {
  const items = (response.get(name) ?? '').split(', ').map((item) => {
    const [policy = '', ...parameters] = item.split(';');
    const pairs = parameters.map((parameter) => parameter.split('=')).map(([key, value]) => [key, Number(value)]);
    return [JSON.parse(policy), Object.fromEntries(pairs)];
  });
  return Object.fromEntries(items) as Record<string, Record<string, number>>;
}

async function times(count: number, request: () => PromiseLike<Response>): Promise<Response[]> {
  const responses: Response[] = [];
  for (let n = 0; n < count; n += 1) responses.push(await request());
  return responses;
}

/** More requests at once than the key can have, whatever time they take. @returns those that passed, and the others. */
async function drain(reader: Actor, path = '/v1/corpora'): Promise<{ passed: Response[]; refused: Response[] }> {
  const responses = await Promise.all(Array.from({ length: 12 }, () => reader.get(path)));
  const refused = responses.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  return { passed: responses.filter(({ status }) => status === 200), refused };
}

let corpora = 0;
const create = (actor: Actor) => actor.post('/v1/corpora', { name: `Corpus ${(corpora += 1)}` });

async function question(actor: Actor): Promise<object> {
  await actor.post('/v1/corpora', { id: 'c1', name: 'One' }).expect(201);
  return { session_id: 's', corpus_id: 'c1', message: 'Hello?', stream: false };
}

describe('limits of keys and tenants', () => {
  let app: TestApp;
  const shifted = new ShiftedClock();
  beforeAll(async () => {
    app = await TestApp.start(LIMITS, { clock: shifted }, false);
  });
  afterAll(() => app.close());

  it('01 §10 case 1: a read beyond the burst is 429 of the key, with all headers and an audit row', async () => {
    const reader = await app.actor('reader');
    const { passed, refused } = await drain(reader);
    expect(passed.length).toBeGreaterThanOrEqual(2);
    const [first] = refused;
    const { error } = first?.body as { error: { code: string; details: Record<string, unknown> } };
    const retryAfterMs = Number(error.details['retry_after_ms']);
    expect(error).toEqual({
      code: 'RATE_LIMITED',
      message: expect.stringContaining('Rate limit exceeded'),
      details: { scope: 'api_key', route_class: 'read', retry_after_ms: retryAfterMs },
    });
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1000);
    expect(first?.headers).toMatchObject({
      'retry-after': '1',
      'x-ratelimit-scope': 'api_key',
      'x-ratelimit-route-class': 'read',
      'x-ratelimit-retry-after-ms': String(retryAfterMs),
    });
    const rows = (await app.audit(reader.tenantId)).filter(({ event_type }) => event_type === 'security.rate_limited');
    expect(rows).toEqual([
      expect.objectContaining({
        outcome: 'failure',
        actor_type: 'api_key',
        actor_id: reader.keyId,
        metadata_json: {
          scope: 'api_key',
          route_class: 'read',
          retry_after_ms: expect.any(Number),
          path: '/v1/corpora',
        },
      }),
    ]);
  });

  it('01 §10 case 2: two keys share what their tenant has', async () => {
    const admin = await app.actor('admin');
    const other = await app.actor('admin', admin.tenantId);
    const created = await times(2, () => create(admin));
    expect(statuses(created)).toEqual([201, 201]);
    const third = await create(other).expect(429);
    expect(third.body.error.details).toMatchObject({ scope: 'tenant', route_class: 'mutation' });
    expect(third.get('X-RateLimit-Scope')).toBe('tenant');
    await create(await app.actor('admin')).expect(201);
  });

  it('01 §10 case 3: a run takes three tokens of a class of its own', async () => {
    const admin = await app.actor('admin');
    const body = await question(admin);
    expect(statuses(await times(2, () => admin.post('/v1/run', body)))).toEqual([200, 429]);
    await admin.get('/v1/corpora').expect(200);
  });

  it('01 §10 case 5: the request passes after the seconds that Retry-After names', async () => {
    const reader = await app.actor('reader');
    const refused = (await drain(reader)).refused.at(-1);
    const due = clock.monotonic() + Number(refused?.get('Retry-After')) * 1000;
    expect(refused?.status).toBe(429);
    await until(() => clock.monotonic() >= due);
    await reader.get('/v1/corpora').expect(200);
  });

  it('01 §10 case 8: a refused request takes nothing from the other bucket', async () => {
    const reader = await app.actor('reader');
    const { passed, refused } = await drain(reader);
    const left = [...passed, ...refused].map((one) => fieldOf(one, 'RateLimit')['tenant:read']?.['r']);
    expect(Math.min(...left.map(Number))).toBe(1000 - passed.length);
  });

  // A clock that was corrected would otherwise lock every client out for as long as it was ahead.
  it('a clock that goes back an hour changes nothing', async () => {
    const reader = await app.actor('reader');
    await drain(reader);
    shifted.advance(-3600);
    const [refused] = (await drain(reader)).refused;
    expect(Number(refused?.get('X-RateLimit-Retry-After-Ms'))).toBeLessThanOrEqual(1000);
    await eventually(() => reader.get('/v1/corpora').expect(200));
    shifted.advance(3600);
  });

  it('tells on every kind of success and on refusals what is left, as the IETF draft has it', async () => {
    const admin = await app.actor('admin');
    const body = await question(admin);
    const policy = '"api_key:read";q=2;w=2, "tenant:read";q=1000;w=100000';
    const read = await admin.get('/v1/corpora').expect(200);
    expect(read.get('RateLimit-Policy')).toBe(policy);
    expect(fieldOf(read, 'RateLimit')).toEqual({ 'api_key:read': { r: 1, t: 1 }, 'tenant:read': { r: 999, t: 100 } });
    const streamed = await admin.post('/v1/run', { ...body, stream: true }).expect(200);
    expect(fieldOf(streamed, 'RateLimit')['api_key:run']).toEqual({ r: 0, t: 300 });
    const deleted = await admin.delete('/v1/corpora/c1').expect(204);
    expect(fieldOf(deleted, 'RateLimit')['tenant:mutation']).toMatchObject({ r: 0 });
    const refused = await create(admin).expect(429);
    const level = fieldOf(refused, 'RateLimit')['tenant:mutation'];
    expect(level).toEqual({ r: 0, t: Number(refused.get('Retry-After')) });
    expect(fieldOf(refused, 'RateLimit-Policy')['tenant:mutation']).toEqual({ q: 2, w: 200 });
  });

  it('limits before the role is looked at: a flood of forbidden requests is refused, too', async () => {
    const reader = await app.actor('reader');
    const responses = await times(3, () => create(reader));
    expect(statuses(responses)).toEqual([403, 403, 429]);
  });

  it('answers an unversioned path in its own shape', async () => {
    const reader = await app.actor('reader');
    const [refused] = (await drain(reader, '/corpora')).refused;
    expect(refused?.body).toEqual({
      detail: {
        code: 'RATE_LIMITED',
        message: expect.any(String),
        scope: 'api_key',
        route_class: 'read',
        retry_after_ms: expect.any(Number),
      },
    });
  });

  it('never limits probes, nor gives them fields', async () => {
    const responses = await times(10, () => app.anonymous().get('/v1/health'));
    expect(new Set(statuses(responses))).toEqual(new Set([200]));
    expect(responses[0]?.headers).not.toHaveProperty('ratelimit');
  });

  // Otherwise a client that ignores 429 fills the disk with rows about itself.
  it('writes one audit row for a flood, and counts the rest', async () => {
    const reader = await app.actor('reader');
    for (let round = 0; round < 3; round += 1) await drain(reader);
    const rows = (await app.audit(reader.tenantId)).filter(({ event_type }) => event_type === 'security.rate_limited');
    expect(rows).toHaveLength(1);
  });
});

describe('a bucket that never refills', () => {
  let app: TestApp;
  beforeAll(async () => {
    const env = { ...LIMITS, RL_KEY_READ_RPS: '0', RL_KEY_READ_BURST: '10' };
    app = await TestApp.start(env, {}, false);
  });
  afterAll(() => app.close());

  it('01 §10 case 6: of 100 requests at once exactly as many pass as it holds', async () => {
    const reader = await app.actor('reader');
    const answers = await Promise.all(Array.from({ length: 100 }, () => reader.get('/v1/corpora')));
    expect(statuses(answers).filter((status) => status === 200)).toHaveLength(10);
    expect(statuses(answers).filter((status) => status === 429)).toHaveLength(90);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.get('X-RateLimit-Retry-After-Ms')).toBe('1000');
  });
});

describe('switched off', () => {
  it('limits nobody and says nothing', async () => {
    const app = await TestApp.start({ ...LIMITS, RATE_LIMIT_ENABLED: 'false' }, {}, false);
    try {
      const reader = await app.actor('reader');
      const answers = await times(10, () => reader.get('/v1/corpora'));
      expect(new Set(statuses(answers))).toEqual(new Set([200]));
      expect(answers[0]?.headers).not.toHaveProperty('ratelimit-policy');
    } finally {
      await app.close();
    }
  });
});

describe('while the shared limits cannot be reached', () => {
  async function unreachable(): Promise<RedisGate> {
    const hop = new Hop(new URL('redis://127.0.0.1:1'));
    const port = await hop.open();
    await hop.cut();
    return new RedisGate(`redis://127.0.0.1:${port}`, clock, silentLog);
  }
  const degraded = async (app: TestApp, tenantId: string): Promise<unknown[]> =>
    (await app.audit(tenantId)).filter(({ event_type }) => event_type === 'system.rate_limit.degraded');

  it('01 §10 case 4, open: 200 with a header and a sampled audit row, limited by the process alone', async () => {
    const app = await TestApp.start(LIMITS, { gate: await unreachable() }, false);
    try {
      const admin = await app.actor('admin');
      const answers = await times(4, () => create(admin));
      expect(statuses(answers)).toEqual([201, 201, 429, 429]);
      expect(answers.map((answer) => answer.get('X-RateLimit-Status'))).toEqual(Array(4).fill('degraded'));
      expect(fieldOf(answers[0] as Response, 'RateLimit')['tenant:mutation']).toMatchObject({ r: 1 });
      expect(await degraded(app, admin.tenantId)).toEqual([
        expect.objectContaining({
          outcome: 'failure',
          actor_type: 'system',
          actor_id: 'rate_limit',
          metadata_json: { route_class: 'mutation', path: '/v1/corpora', fail_mode: 'open' },
        }),
      ]);
    } finally {
      await app.close();
    }
  });

  it('01 §10 case 4, closed: 503 RATE_LIMIT_UNAVAILABLE, and probes answer', async () => {
    const app = await TestApp.start({ ...LIMITS, RL_FAIL_MODE: 'closed' }, { gate: await unreachable() }, false);
    try {
      const reader = await app.actor('reader');
      const refused = await reader.get('/v1/corpora').expect(503);
      expect(refused.body.error.code).toBe('RATE_LIMIT_UNAVAILABLE');
      expect(refused.get('Retry-After')).toBe('1');
      expect(await degraded(app, reader.tenantId)).toHaveLength(1);
      await app.anonymous().get('/v1/health').expect(200);
    } finally {
      await app.close();
    }
  });

  if (testRedisUrl !== undefined) {
    const redisUrl = testRedisUrl;

    it('a Redis that goes and comes back in mid-flight degrades and heals without a failed request', async () => {
      const hop = new Hop(new URL(redisUrl));
      const gate = new RedisGate(`redis://127.0.0.1:${await hop.open()}`, clock, silentLog);
      const app = await TestApp.start({ ...LIMITS, RL_KEY_READ_BURST: '1000' }, { gate }, false);
      try {
        const reader = await app.actor('reader');
        const status = async (): Promise<string | undefined> =>
          (await reader.get('/v1/corpora').expect(200)).get('X-RateLimit-Status');
        expect(await status()).toBeUndefined();
        const flying = Promise.all(Array.from({ length: 50 }, status));
        await hop.cut();
        await flying;
        expect(await status()).toBe('degraded');
        await hop.open();
        await until(async () => (await status()) === undefined);
      } finally {
        await app.close();
        await hop.cut();
      }
    });
  }
});

describe('two replicas', () => {
  // Each would refill the bucket by what the clocks differ, for every request that changes sides.
  it('01 §10 case 10: with clocks two seconds apart admit no more than burst and rate allow', async () => {
    const env = { ...LIMITS, RL_KEY_READ_RPS: '2', RL_KEY_READ_BURST: '4' };
    const app = await TestApp.start(env, {}, false);
    const ahead = new ShiftedClock();
    ahead.advance(2);
    const replica = await Replica.of(app, { clock: ahead });
    try {
      const { token } = await app.actor('reader');
      const get = async (url: string): Promise<number> =>
        (await fetch(`${url}/v1/corpora`, { headers: { Authorization: `Bearer ${token}` } })).status;
      const began = clock.monotonic();
      const found: number[] = [];
      while (clock.monotonic() - began < 3000) {
        found.push(...(await Promise.all([app.url, replica.url].map(get))));
      }
      const seconds = (clock.monotonic() - began) / 1000;
      const admitted = found.filter((status) => status === 200).length;
      expect(new Set(found)).toEqual(new Set([200, 429]));
      expect(admitted).toBeLessThanOrEqual(4 + 2 * seconds);
      expect(admitted).toBeGreaterThanOrEqual(4 + 2);
    } finally {
      await replica.close();
      await app.close();
    }
  });
});

describe('settings', () => {
  it('01 §10 case 9: a bucket that could never hold the cost of one request keeps the process from starting', () => {
    expect(faultsOf({ RL_KEY_RUN_BURST: '2' })).toEqual([
      'RL_KEY_RUN_BURST must be at least 3, the tokens that one request takes: with less, none would ever pass.',
    ]);
    expect(faultsOf({ RL_TENANT_OPS_BURST: '0' })).toEqual([expect.stringContaining('RL_TENANT_OPS_BURST')]);
    expect(faultsOf({ RL_KEY_RUN_BURST: '3', RL_KEY_RUN_RPS: '0' })).toEqual([]);
    expect(faultsOf({ RL_KEY_READ_RPS: '-1' })).toEqual([expect.stringContaining('at least 0')]);
    expect(faultsOf({ RL_FAIL_MODE: 'maybe' })).toEqual([expect.stringContaining('RL_FAIL_MODE')]);
  });

  it('names no operation that costs more than the settings were checked for', async () => {
    const app = await TestApp.start({}, {}, false);
    const costs = app.app.manifest.routes.map(({ operation }) => [operation.rateClass, operation.cost] as const);
    await app.close();
    const most: Record<string, number> = { run: 3, mutation: 1, read: 1, ops: 1, none: 0 };
    expect(costs.filter(([rateClass, cost]) => cost > (most[rateClass] ?? 0))).toEqual([]);
  });
});
