import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { UsageLedger } from '../../../src/features/quotas/index.js';
import { sharedStateErrors } from '../../../src/platform/shared-state/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { Replica } from '../../harness/replica.js';
import { expectUsed, ledgerOf, quotaOf, setQuota } from './meter.js';

/** The limiter is on, with room for all but the runs. */
const LIMITS = {
  RATE_LIMIT_ENABLED: 'true',
  RL_KEY_READ_BURST: '1000',
  RL_TENANT_READ_BURST: '1000',
  RL_KEY_MUTATION_BURST: '2',
  RL_KEY_MUTATION_RPS: '0',
};

let app: TestApp;
let replica: Replica;

beforeAll(async () => {
  app = await TestApp.start(LIMITS);
  replica = await Replica.of(app);
});
afterAll(async () => {
  await replica.close();
  await app.close();
});

const get = (actor: Actor, url = app.url) =>
  supertest(url).get('/v1/corpora').set('Authorization', `Bearer ${actor.token}`);

async function flush(): Promise<void> {
  await app.app.nest.get(UsageLedger, { strict: false }).flush();
  await replica.app.nest.get(UsageLedger, { strict: false }).flush();
}

describe('429', () => {
  it('04.1 case 7, 01.8 case 2: a throttled request counts nothing', async () => {
    const admin = await app.actor('admin');
    const actor = await app.actor('admin', admin.tenantId);
    await setQuota(admin, { daily_requests_limit: 10 });
    await actor.post('/v1/corpora', { name: 'a' }).expect(201);
    await actor.post('/v1/corpora', { name: 'b' }).expect(201);
    const throttled = await actor.post('/v1/corpora', { name: 'c' }).expect(429);
    expect(quotaOf(throttled)).toBe('–/–/– –/–/– – –');
    expect((await get(actor).expect(200)).get('X-Quota-Day-Used')).toBe('3');
    await expectUsed(app, actor, 3);
  });
});

describe('two processes', () => {
  it('04.1 case 9: share one limit to the unit', async () => {
    const actor = await app.actor('admin');
    await setQuota(actor, { daily_requests_limit: 50 });
    const urls = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? app.url : replica.url));
    const statuses = await Promise.all(urls.map(async (url) => (await get(actor, url)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 402)).toHaveLength(50);
    await eventually(async () => {
      await flush();
      expect(await ledgerOf(app, actor.tenantId)).toEqual({ day: 50, month: 50 });
    });
  });

  it('both have a new limit within a second', async () => {
    const actor = await app.actor('admin');
    await setQuota(actor, { daily_requests_limit: 50 });
    expect((await get(actor, replica.url)).get('X-Quota-Day-Limit')).toBe('50');
    await setQuota(actor, { daily_requests_limit: 60 });
    expect((await get(actor)).get('X-Quota-Day-Limit')).toBe('60');
    const limit = async () => (await get(actor, replica.url)).get('X-Quota-Day-Limit');
    await eventually(async () => expect(await limit()).toBe('60'), 1000);
  });
});

describe('without the shared store', () => {
  // An outage of the store must not be a free ride, and not a closed door either.
  it('the limit holds all the same, and goes on to hold when the store is back', async () => {
    const actor = await app.actor('admin');
    await setQuota(actor, { daily_requests_limit: 6 });
    await get(actor).expect(200);
    await get(actor).expect(200);
    const restore = takeGateAway();
    try {
      expect(quotaOf(await get(actor).expect(200))).toBe('6/3/3 unlimited/3/unlimited false enforce');
      await get(actor).expect(200);
      await actor.post('/v1/corpora', { colour: 'red' }).expect(422);
      await get(actor).expect(200);
      await get(actor).expect(200);
      expect((await get(actor).expect(402)).get('X-Quota-Day-Remaining')).toBe('0');
    } finally {
      restore();
    }
    expect((await get(actor).expect(402)).get('X-Quota-Day-Used')).toBe('6');
    await eventually(async () => {
      await flush();
      expect((await get(actor, replica.url)).status).toBe(402);
    });
    await expectUsed(app, actor, 6);
  });

  function takeGateAway(): () => void {
    const { gate } = app.infrastructure;
    const away = (): Promise<never> => Promise.reject(sharedStateErrors.SHARED_STATE_UNAVAILABLE());
    Object.assign(gate, { pass: away, raise: away, giveBack: away });
    return () => {
      for (const name of ['pass', 'raise', 'giveBack']) Reflect.deleteProperty(gate, name);
    };
  }
});

describe('what gives its units back', () => {
  it('leaves nothing behind in the gate or the ledger', async () => {
    const actor = await app.actor('admin');
    await setQuota(actor, { daily_requests_limit: 30 });
    const reader = await app.actor('reader', actor.tenantId);
    const refused = Array.from({ length: 20 }, async () => (await reader.delete('/v1/corpora/c')).status);
    const statuses = await Promise.all(refused);
    expect(statuses.every((status) => status === 403 || status === 429)).toBe(true);
    await eventually(async () => expect((await get(actor)).get('X-Quota-Day-Remaining')).toBe('0'));
    await flush();
    expect(await ledgerOf(app, actor.tenantId)).toEqual({ day: 30, month: 30 });
  });
});
