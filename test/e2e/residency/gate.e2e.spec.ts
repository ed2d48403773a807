import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import supertest, { type Response } from 'supertest';
import { startJobs } from '../../../src/app/jobs.js';
import { SETTINGS } from '../../../src/app/catalogue.js';
import { loadSettings } from '../../../src/kernel/settings.js';
import { callOf, EXAMPLES, MISSING, send } from '../../contract/examples.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { Replica } from '../../harness/replica.js';
import { ShiftedClock } from '../auth/shifted-clock.js';
import { configure, expectError, expectMismatch, mismatchText, OPERATED, pin, wire } from './pinned.js';

/** Names that no answer has by chance. */
const HERE = 'zone-of-this-process';
const SITE = 'site-of-this-process';
const ENV = {
  STATEWAVE_REGION: HERE,
  REGION_ID: SITE,
  RESIDENCY_ENDPOINTS_JSON: '{"us":"https://us.example.com"}',
  ...OPERATED,
};

let app: TestApp;
let operator: Actor;
let open: TestApp;
const clock = new ShiftedClock();

beforeAll(async () => {
  app = await TestApp.start({ ...ENV, RATE_LIMIT_ENABLED: 'true' }, { clock }, false);
  await app.rows(`INSERT INTO tenants (id, name) VALUES ('ops', 'Operators')`);
  operator = await app.actor('admin', 'ops');
  open = await TestApp.start({}, {}, false);
});
afterAll(async () => {
  await app.close();
  await open.close();
});

async function pinnedTo(region: unknown, where = app): Promise<Actor> {
  const actor = await where.actor('admin');
  await pin(where, actor.tenantId, region);
  return actor;
}

const asOwner = (where: TestApp, sql: string): Promise<unknown> =>
  where.dataSource.query(`BEGIN; SET LOCAL ROLE NONE; ${sql}; COMMIT`);
const warnings = (where: TestApp, tenantId: string): string[] =>
  where.logs.filter((line) => line['tenant_id'] === tenantId && line['level'] === 'warn').map(({ msg }) => String(msg));

describe('12.1: a request', () => {
  const ask = async (actor: Actor): Promise<number[]> => {
    const created = await actor.post('/v1/corpora', { name: 'C' });
    const read = await actor.get('/v1/corpora');
    return [created.status, read.status];
  };

  it('row 1, 19 case 1: is served in single-region mode whatever the pin, on all routes', async () => {
    for (const region of ['us', 42, { a: 1 }, '']) {
      expect(await ask(await pinnedTo(region, open))).toEqual([201, 200]);
    }
    const actor = await pinnedTo('us', open);
    for (const path of [
      '/v1/documents',
      '/v1/audit/events',
      '/v1/sessions',
      `/v1/admin/tenants/${actor.tenantId}/config`,
    ]) {
      await actor.get(path).expect(200);
    }
  });

  it.each([['never configured'], [null], ['']])('row 3, 19 case 2: is served without a pin: %j', async (region) => {
    const actor = await app.actor('admin');
    if (region !== 'never configured') await pin(app, actor.tenantId, region);
    expect(await ask(actor)).toEqual([201, 200]);
    await configure(app, actor.tenantId, {});
    expect(await ask(actor)).toEqual([201, 200].map((status, index) => (index === 0 ? 409 : status)));
  });

  it('row 5, 19 case 3: is served when pinned here', async () => {
    expect(await ask(await pinnedTo(HERE))).toEqual([201, 200]);
  });

  it.each([
    ['us', 'us'],
    [HERE.toUpperCase(), HERE.toUpperCase()],
    [`${HERE} `, `${HERE} `],
    [42, '42'],
    [{ a: 1 }, '{"a":1}'],
    [[HERE], `["${HERE}"]`],
    [true, 'true'],
  ])('rows 7 and 8, 19 case 3: is refused when pinned to %j', async (region, shown) => {
    const actor = await pinnedTo(region);
    expect(await ask(actor)).toEqual([403, 403]);
    expectMismatch(await actor.get('/v1/corpora'), actor.tenantId, shown);
  });

  it('shows of a malformed pin 64 characters', async () => {
    const actor = await pinnedTo({ a: 'x'.repeat(500) });
    expectMismatch(await actor.get('/v1/corpora'), actor.tenantId, `{"a":"${'x'.repeat(58)}`);
  });
});

describe('a tenant that is pinned elsewhere', () => {
  it('19 case 4: is refused everywhere, and never told where it arrived', async () => {
    const actor = await pinnedTo('us');
    const answers = [
      await actor.post('/v1/documents/text', { corpus_id: 'c', text: 'x' }),
      await actor.get('/v1/documents'),
      await actor.get('/v1/ops/authz/posture'),
      await actor.get('/v1/ops/residency'),
      await actor.get(`/v1/admin/tenants/${actor.tenantId}/config`),
      await actor.patch(`/v1/admin/tenants/${actor.tenantId}/config`, { receipts: 'never' }),
    ];
    for (const answer of answers) {
      expectMismatch(answer, actor.tenantId, 'us');
      expect(answer.body.error.details).toEqual({ region: 'us', endpoint: 'https://us.example.com' });
    }
    const health = await app.anonymous().get('/v1/health').expect(200);
    for (const answer of [...answers, health]) expect(wire(answer)).not.toMatch(new RegExp(`${HERE}|${SITE}`));
    expect(app.logs).toContainEqual(
      expect.objectContaining({
        msg: 'residency_mismatch_refused',
        tenant_id: actor.tenantId,
        tenant_region: 'us',
        server_region: HERE,
        path: '/v1/documents/text',
      }),
    );
    const events = (await app.audit(actor.tenantId)).filter((event) => event['event_type'] === 'residency.mismatch');
    expect(events.map(({ error_code, metadata_json }) => [error_code, metadata_json])).toEqual([
      ['residency.mismatch', { tenant_region: 'us', route: '/v1/documents/text', method: 'POST' }],
    ]);
    expect(JSON.stringify(events)).not.toContain(HERE);
  });

  it('is refused alike on every route, before its role, body and plan are looked at', async () => {
    const admin = await app.actor('admin');
    const named = { ...MISSING, tenant: admin.tenantId };
    await pin(app, admin.tenantId, 'us');
    const guarded = app.app.manifest.routes.filter(({ operation }) => operation.role !== 'public');
    expect(guarded.length).toBeGreaterThan(Object.keys(EXAMPLES).length - 5);
    for (const route of guarded) {
      // Each with a key of its own: a credential is refused sixty times a minute.
      const reader = await app.actor('reader', admin.tenantId);
      const answer = await send(app, { ...callOf(route, named), body: undefined, file: undefined }, reader.token);
      expect([route.operation.id, answer.status, answer.body.error?.code]).toEqual([
        route.operation.id,
        403,
        'residency.mismatch',
      ]);
      expect(wire(answer)).not.toMatch(new RegExp(`${HERE}|${SITE}`));
    }
  });

  // The site's state is asked at a later stage, which does not exist yet.
  it('19 case 5: uses up neither its rate nor its quota', async () => {
    const actor = await pinnedTo('us');
    for (let calls = 0; calls < 40; calls += 1) await actor.get('/v1/corpora').expect(403);
    await pin(app, actor.tenantId, HERE);
    const served = await actor.get('/v1/corpora').expect(200);
    expect(served.get('X-Quota-Day-Used')).toBe('1');
    expect(served.get('RateLimit')).toContain('"api_key:read";r=19');
    await pin(app, actor.tenantId, 'us');
    const refused = await actor.get('/v1/corpora');
    expect(Object.keys(refused.headers).filter((name) => /^(x-quota|ratelimit|x-ratelimit)/.test(name))).toEqual([]);
  });

  it('19 case 6: asks in vain: no stream, no session, no message', async () => {
    const actor = await app.actor('admin');
    await actor.post('/v1/corpora', { id: 'c', name: 'C' }).expect(201);
    await pin(app, actor.tenantId, 'us');
    const answer = await actor.post('/v1/run', { session_id: 's', corpus_id: 'c', message: 'Hello?' });
    expectMismatch(answer, actor.tenantId, 'us');
    expect(answer.get('Content-Type')).toMatch(/^application\/json/);
    for (const table of ['sessions', 'messages']) {
      expect(await app.rows(`SELECT 1 FROM ${table} WHERE tenant_id = $1`, [actor.tenantId])).toEqual([]);
    }
  });

  it('is told so sixty times a minute for each credential, and served as soon as it may be', async () => {
    const actor = await pinnedTo('us');
    const colleague = await app.actor('reader', actor.tenantId);
    for (let calls = 0; calls < 60; calls += 1) await actor.get('/v1/corpora').expect(403);
    const late = await actor.get('/v1/corpora');
    expectError(late, 429, 'RATE_LIMITED');
    expect(Number(late.get('Retry-After'))).toBeGreaterThan(0);
    expect(late.body.error.details).toMatchObject({ scope: 'residency' });
    expect(wire(late)).not.toMatch(new RegExp(`${HERE}|${SITE}`));
    expectMismatch(await colleague.get('/v1/corpora'), actor.tenantId, 'us');
    clock.advance(60);
    expectMismatch(await actor.get('/v1/corpora'), actor.tenantId, 'us');
    const events = (await app.audit(actor.tenantId)).filter((event) => event['event_type'] === 'residency.mismatch');
    expect(events.map(({ actor_id }) => actor_id)).toEqual([actor.keyId, colleague.keyId, actor.keyId]);
    await pin(app, actor.tenantId, HERE);
    await actor.get('/v1/corpora').expect(200);
  });

  it('has the limit of refusals where rates are not limited, too', async () => {
    const lax = await TestApp.start({ ...ENV, RATE_LIMIT_ENABLED: 'false' }, {}, false);
    try {
      const actor = await pinnedTo('us', lax);
      for (let calls = 0; calls < 60; calls += 1) await actor.get('/v1/corpora').expect(403);
      expectError(await actor.get('/v1/corpora'), 429, 'RATE_LIMITED');
    } finally {
      await lax.close();
    }
  });
});

describe('an operator who names a tenant that is pinned elsewhere', () => {
  it('is refused with its region, where the operation is for tenants that are served here', async () => {
    const [served, elsewhere, customer] = [await app.actor('admin'), await pinnedTo('us'), await app.actor('admin')];
    const receiptsOf = ({ tenantId }: Actor): string => `/v1/admin/receipts?tenant_id=${tenantId}`;
    await operator.get(receiptsOf(served)).expect(200);
    expectMismatch(await operator.get(receiptsOf(elsewhere)), elsewhere.tenantId, 'us');
    const foreign = await customer.get(receiptsOf(elsewhere));
    expect(foreign.status).toBe(403);
    expect(foreign.body.error.code).not.toBe('residency.mismatch');
    expect(foreign.text).not.toContain('"us"');
  });
});

describe('while pins cannot be read', () => {
  let closed: TestApp;
  beforeAll(async () => {
    closed = await TestApp.start({ ...ENV, RESIDENCY_FAIL_MODE: 'closed' }, {}, false);
  });
  afterAll(() => closed.close());
  afterEach(() => clock.advance(60));

  async function away<T>(where: TestApp, work: () => Promise<T>): Promise<T> {
    await asOwner(where, 'ALTER TABLE tenant_configs RENAME TO tenant_configs_away');
    try {
      return await work();
    } finally {
      await asOwner(where, 'ALTER TABLE tenant_configs_away RENAME TO tenant_configs');
    }
  }

  it('19 case 7, row 9: a tenant that was never seen is served with a warning, recorded once a minute', async () => {
    const actor = await pinnedTo('us');
    await away(app, async () => {
      await actor.get('/v1/corpora').expect(200);
      await actor.post('/v1/corpora', { name: 'C' }).expect(201);
    });
    // Two requests, and where the data of the second may go.
    expect(warnings(app, actor.tenantId)).toEqual(Array(3).fill('residency_check_failed_failing_open'));
    const events = (await app.audit(actor.tenantId)).filter((e) => e['event_type'] === 'residency.check_failed_open');
    expect(events.map(({ metadata_json }) => metadata_json)).toEqual([
      { path: '/v1/corpora', error_class: 'QueryFailedError' },
    ]);
    expectMismatch(await actor.get('/v1/corpora'), actor.tenantId, 'us');
    const status = await operator.get('/v1/ops/residency').expect(200);
    expect(status.body.data.fail_open_total).toBe(3);
  });

  it('19 case 7, row 10: a tenant that was last seen pinned elsewhere is refused', async () => {
    const actor = await pinnedTo('us');
    await actor.get('/v1/corpora').expect(403);
    await away(app, async () => expectMismatch(await actor.get('/v1/corpora'), actor.tenantId, 'us'));
  });

  it.each(['an operator', 'somebody past the API'])(
    '19 case 7, row 10: so it is in a process that had served it before %s pinned it elsewhere',
    async (who) => {
      const replica = await Replica.of(app);
      try {
        const actor = await app.actor('admin');
        const asked = (): Promise<Response> =>
          supertest(replica.url).get('/v1/corpora').set('Authorization', `Bearer ${actor.token}`);
        expect((await asked()).status).toBe(200);
        if (who === 'an operator') {
          const body = { region: 'us', force_region_pin: true };
          await operator.patch(`/v1/admin/tenants/${actor.tenantId}/config`, body).expect(200);
        } else {
          await pin(app, actor.tenantId, 'us');
          await actor.get('/v1/corpora').expect(403);
        }
        await away(app, async () => expectMismatch(await asked(), actor.tenantId, 'us'));
      } finally {
        await replica.close();
      }
    },
  );

  it('a tenant that was served before is so still, and that is no failing open', async () => {
    const actor = await app.actor('admin');
    await actor.get('/v1/corpora').expect(200);
    await away(app, async () => actor.get('/v1/corpora').expect(200));
    expect(warnings(app, actor.tenantId)).toEqual(['residency_check_failed_last_known']);
  });

  it('19 case 7: with RESIDENCY_FAIL_MODE=closed those are served that were before, and nobody else', async () => {
    const [seen, unseen] = [await closed.actor('admin'), await closed.actor('admin')];
    await seen.get('/v1/corpora').expect(200);
    await away(closed, async () => {
      await seen.get('/v1/corpora').expect(200);
      const refused = await unseen.get('/v1/corpora');
      expectError(refused, 503, 'residency.unavailable');
      expect(refused.get('Retry-After')).toBe('1');
      expect(wire(refused)).not.toMatch(new RegExp(`${HERE}|${SITE}`));
    });
  });
});

describe('pins that are remembered', () => {
  it('are obeyed as soon as they are changed through the API, and otherwise when their time is over', async () => {
    const time = new ShiftedClock();
    const caching = await TestApp.start(
      { ...ENV, PLATFORM_OPERATOR_TENANTS: '*', RESIDENCY_CACHE_TTL_S: '30' },
      { clock: time },
      false,
    );
    try {
      const [admin, actor] = [await caching.actor('admin'), await caching.actor('admin')];
      const path = `/v1/admin/tenants/${actor.tenantId}/config`;
      await actor.get('/v1/corpora').expect(200);
      await admin.patch(path, { region: 'us', force_region_pin: true }).expect(200);
      expectMismatch(await actor.get('/v1/corpora'), actor.tenantId, 'us');
      await admin.patch(path, { region: HERE }).expect(200);
      await actor.get('/v1/corpora').expect(200);
      await pin(caching, actor.tenantId, 'us');
      await actor.get('/v1/corpora').expect(200);
      time.advance(31);
      expectMismatch(await actor.get('/v1/corpora'), actor.tenantId, 'us');
    } finally {
      await caching.close();
    }
  });
});

describe('a job', () => {
  it('19 case 8: of a tenant that is pinned elsewhere fails at once, and leaves no passage', async () => {
    const worker = await TestApp.start(ENV, {}, false);
    const [actor, other] = [await worker.actor('admin'), await worker.actor('admin')];
    for (const { post } of [actor, other]) {
      await post('/v1/corpora', { id: 'c', name: 'C' }).expect(201);
      await post('/v1/documents/text', { corpus_id: 'c', document_id: 'd', text: 'A text.' }).expect(202);
    }
    await pin(worker, actor.tenantId, 'us');
    const jobs = await startJobs(worker.app.nest, worker.infrastructure);
    try {
      const jobOf = ({ tenantId }: Actor): Promise<unknown[]> =>
        worker.rows('SELECT state, attempts, last_error FROM outbox_jobs WHERE tenant_id = $1', [tenantId]);
      await eventually(async () => expect(await jobOf(other)).toMatchObject([{ state: 'done' }]));
      await eventually(async () =>
        expect(await jobOf(actor)).toEqual([{ state: 'dead', attempts: 1, last_error: 'residency.mismatch' }]),
      );
      const documents = await worker.rows('SELECT status, failure_code FROM documents WHERE tenant_id = $1', [
        actor.tenantId,
      ]);
      expect(documents).toEqual([{ status: 'failed', failure_code: 'residency.mismatch' }]);
      expect(await worker.rows('SELECT 1 FROM chunks WHERE tenant_id = $1', [actor.tenantId])).toEqual([]);
    } finally {
      await jobs.stop();
      await worker.close();
    }
  });
});

describe('the settings', () => {
  const fault = (env: Record<string, string>): string => {
    try {
      loadSettings(env, SETTINGS);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each([' eu', 'eu ', '\teu', 'e u', 'x'.repeat(65)])('19 case 9: refuse to start in the region %j', (region) => {
    expect(fault({ STATEWAVE_REGION: region })).toContain('STATEWAVE_REGION must match');
  });

  it.each(['', ' ', '\n'])('19 case 9: take %j for single-region mode', (region) => {
    expect(fault({ STATEWAVE_REGION: region })).toBe('');
  });

  it('refuse a site in another zone than the process', () => {
    const map = { RESIDENCY_REGION_MAP_JSON: '{"eu-central-1":"eu"}', REGION_ID: 'eu-central-1' };
    expect(fault({ ...map, STATEWAVE_REGION: 'us' })).toContain('RESIDENCY_REGION_CONFLICT');
    expect([fault({ ...map, STATEWAVE_REGION: 'eu' }), fault(map), fault({ ...map, REGION_ID: 'x' })]).toEqual([
      '',
      '',
      '',
    ]);
  });

  it('refuse endpoints that are none', () => {
    expect(fault({ RESIDENCY_ENDPOINTS_JSON: '{"us":"us.example.com"}' })).toContain('RESIDENCY_ENDPOINTS_JSON');
  });
});

describe('readiness', () => {
  it('warns of pins that mean nothing, and serves all the same', async () => {
    await pinnedTo('us', open);
    const detailsOf = (answer: Response): Record<string, unknown> => answer.body.details;
    const warned = await open.anonymous().get('/v1/readyz').expect(200);
    expect(detailsOf(warned)['residency']).toEqual({ status: 'up', warning: 'RESIDENCY_DISABLED_WITH_PINS' });
    const quiet = await app.anonymous().get('/v1/readyz').expect(200);
    expect(detailsOf(quiet)['residency']).toEqual({ status: 'up' });
  });
});

it('tells what the seed says, to the letter', () => {
  expect(mismatchText('acme-eu', 'eu')).toBe(
    "tenant 'acme-eu' is pinned to region 'eu'; this request did not reach the right region. Retry against the regional endpoint.",
  );
});
