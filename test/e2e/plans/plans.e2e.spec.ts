import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest, { type Response } from 'supertest';
import { Plans } from '../../../src/features/plans/index.js';
import { PLAN_FEATURES } from '../../../src/kernel/plan-features.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { Replica } from '../../harness/replica.js';
import { asOwner } from '../retrieval/chunks.js';
import { ShiftedClock } from '../auth/shifted-clock.js';

interface Feature {
  readonly feature_key: string;
  readonly enabled: boolean;
  readonly config_json: unknown;
}

const BEDROCK = { retrieval: { provider: 'aws_bedrock_kb', knowledge_base_id: 'KB1', region: 'eu-central-1' } };
const VERTEX = { retrieval: { provider: 'gcp_vertex', project: 'p', location: 'eu', resource_id: 'r' } };
const LOCAL = { retrieval: { provider: 'local_pgvector' } };

const clock = new ShiftedClock();
let app: TestApp;
let replica: Replica;

beforeAll(async () => {
  app = await TestApp.start({}, { clock });
  replica = await Replica.of(app);
});
afterAll(async () => {
  await replica.close();
  await app.close();
});

type PlanId = 'free' | 'pro' | 'enterprise';

const adminOn = async (plan: PlanId): Promise<Actor> => app.actor('admin', await app.tenant(plan));
const planOf = (actor: Actor) => `/v1/admin/plans/${actor.tenantId}`;
const assign = (actor: Actor, plan_id: string) => actor.patch(planOf(actor), { plan_id });
const override = (actor: Actor, change: object) => actor.patch(`${planOf(actor)}/overrides`, change);
const current = async (actor: Actor) => (await actor.get(planOf(actor)).expect(200)).body.data;

function feature({ body }: Response, key: string): Feature | undefined {
  return (body.data.entitlements as Feature[]).find(({ feature_key }) => feature_key === key);
}

function expectDenied(response: Response, key: string): void {
  expect([response.status, response.body.error]).toEqual([
    403,
    expect.objectContaining({ code: 'FEATURE_NOT_ENABLED', details: { feature_key: key } }),
  ]);
}

let named = 0;
async function corpus(actor: Actor, provider_config_json?: object): Promise<string> {
  const response = await actor
    .post('/v1/corpora', { name: `Corpus ${(named += 1)}`, provider_config_json })
    .expect(201);
  return response.body.data.id as string;
}

const ask = (actor: Actor, corpus_id: string, more: object = {}) =>
  actor.post('/v1/run', { session_id: `s-${(named += 1)}`, corpus_id, message: 'Hello?', stream: false, ...more });

const auditOf = async (actor: Actor, event: string) =>
  (await app.audit(actor.tenantId))
    .filter(({ event_type, actor_type }) => event_type === event && actor_type === 'api_key')
    .map(({ metadata_json }) => metadata_json);

const assignments = (actor: Actor) =>
  app.rows<{ plan_id: string; is_active: boolean; ended: boolean }>(
    `SELECT plan_id, is_active, effective_to IS NOT NULL AS ended FROM tenant_plan_assignments
      WHERE tenant_id = $1 ORDER BY effective_from`,
    [actor.tenantId],
  );

describe('the catalogue', () => {
  it('04 §3: has three plans, each with every feature, as published', async () => {
    const plans = (await (await adminOn('free')).get('/v1/admin/plans').expect(200)).body.data as {
      id: string;
      name: string;
      is_active: boolean;
      features: Feature[];
    }[];
    const published = plans.filter(({ id }) => ['free', 'pro', 'enterprise'].includes(id));
    expect(published.map(({ id, name, is_active }) => [id, name, is_active])).toEqual([
      ['enterprise', 'Enterprise', true],
      ['free', 'Free', true],
      ['pro', 'Pro', true],
    ]);
    for (const { features } of published) {
      expect(features.map(({ feature_key }) => feature_key)).toEqual([...PLAN_FEATURES]);
    }
    const included = Object.fromEntries(
      published.map(({ id, features }) => [
        id,
        features.filter(({ enabled }) => enabled).map((each) => each.feature_key),
      ]),
    );
    const enterpriseOnly = [
      'feature.chargeback_reports',
      'feature.high_quota_tier',
      'feature.identity.jit',
      'feature.identity.scim',
      'feature.retrieval.aws_bedrock',
    ];
    expect(included).toEqual({
      free: ['feature.byok', 'feature.retrieval.local_pgvector', 'feature.vector_db_governance'],
      pro: PLAN_FEATURES.filter((key) => !enterpriseOnly.includes(key)),
      enterprise: [...PLAN_FEATURES],
    });
  });
});

describe('the plan of a tenant', () => {
  it('04 §3: is free without an assignment', async () => {
    const admin = await adminOn('free');
    const plan = await current(admin);
    expect(plan).toMatchObject({
      tenant_id: admin.tenantId,
      plan_id: 'free',
      plan_name: 'Free',
      effective_from: null,
      effective_to: null,
      is_active: false,
    });
    expect(plan.entitlements.map(({ feature_key }: Feature) => feature_key)).toEqual([...PLAN_FEATURES]);
  });

  it('04 §4 case 4: follows an assignment, which is recorded with what it was before', async () => {
    const admin = await adminOn('free');
    const response = await assign(admin, 'pro').expect(200);
    expect(response.body.data).toMatchObject({ plan_id: 'pro', plan_name: 'Pro', is_active: true, effective_to: null });
    expect(response.body.data.effective_from).toEqual(expect.any(String));
    expect(feature(response, 'feature.retrieval.gcp_vertex')?.enabled).toBe(true);
    expect(feature(response, 'feature.retrieval.aws_bedrock')?.enabled).toBe(false);
    expect(await current(admin)).toEqual(response.body.data);
    expect(await auditOf(admin, 'plan.assigned')).toEqual([{ from: 'free', to: 'pro' }]);
  });

  it('04 §4: stays as it is when it is assigned again', async () => {
    const admin = await adminOn('pro');
    const before = await current(admin);
    expect((await assign(admin, 'pro').expect(200)).body.data).toEqual(before);
    expect(await auditOf(admin, 'plan.assigned')).toEqual([]);
    expect(await assignments(admin)).toHaveLength(1);
  });

  it('04 §4: ends when the next one begins', async () => {
    const admin = await adminOn('pro');
    await assign(admin, 'enterprise').expect(200);
    await assign(admin, 'free').expect(200);
    expect(await assignments(admin)).toEqual([
      { plan_id: 'pro', is_active: false, ended: true },
      { plan_id: 'enterprise', is_active: false, ended: true },
      { plan_id: 'free', is_active: true, ended: false },
    ]);
  });

  it('04 §4 case 5: is only one that is offered', async () => {
    const admin = await adminOn('free');
    await asOwner(app, `INSERT INTO plans (id, name, is_active) VALUES ('retired', 'Retired', false)`);
    for (const plan of ['nope', 'retired']) {
      const response = await assign(admin, plan).expect(404);
      expect(response.body.error.code).toBe('NOT_FOUND');
    }
    expect(await current(admin)).toMatchObject({ plan_id: 'free', is_active: false });
    expect(await auditOf(admin, 'plan.assigned')).toEqual([]);
  });

  // Whoever stops selling a plan must not switch off the customers that bought it.
  it('stays when the plan is not offered any more, and cannot be taken again once it is left', async () => {
    await asOwner(
      app,
      `INSERT INTO plans (id, name) VALUES ('legacy', 'Legacy');
       INSERT INTO plan_features (plan_id, feature_key, enabled) VALUES ('legacy', 'feature.tts', true)`,
    );
    const admin = await adminOn('free');
    await assign(admin, 'legacy').expect(200);
    await asOwner(app, `UPDATE plans SET is_active = false WHERE id = 'legacy'`);
    clock.advance(31);
    const response = await admin.get(planOf(admin)).expect(200);
    expect(response.body.data).toMatchObject({ plan_id: 'legacy', is_active: true });
    expect(feature(response, 'feature.tts')?.enabled).toBe(true);
    await assign(admin, 'free').expect(200);
    await assign(admin, 'legacy').expect(404);
  });

  it('04 §3: is worth as much as free when nobody said what it includes, with a warning', async () => {
    await asOwner(app, `INSERT INTO plans (id, name) VALUES ('hollow', 'Hollow')`);
    const admin = await adminOn('free');
    const response = await assign(admin, 'hollow').expect(200);
    expect(feature(response, 'feature.retrieval.local_pgvector')?.enabled).toBe(true);
    expect(feature(response, 'feature.tts')?.enabled).toBe(false);
    await ask(admin, await corpus(admin)).expect(200);
    const warnings = app.logs.filter(({ level, plan_id }) => level === 'warn' && plan_id === 'hollow');
    expect(warnings[0]).toMatchObject({ tenant_id: admin.tenantId });
  });

  it('04 §3: is free again when the time of its assignment is over', async () => {
    const admin = await adminOn('pro');
    await app.rows(
      `UPDATE tenant_plan_assignments SET effective_to = clock_timestamp() WHERE tenant_id = $1 RETURNING tenant_id`,
      [admin.tenantId],
    );
    await eventually(async () => expect(await current(admin)).toMatchObject({ plan_id: 'free', is_active: false }));
    await assign(admin, 'pro').expect(200);
    expect(await current(admin)).toMatchObject({ plan_id: 'pro', is_active: true });
  });

  it('04 §4 case 8: is one, whichever of twenty assignments at once comes last', async () => {
    const admin = await adminOn('free');
    const plans = Array.from({ length: 20 }, (_, index) => ['pro', 'enterprise', 'free'][index % 3] ?? '');
    const answers = await Promise.all(plans.map((plan) => assign(admin, plan)));
    expect(answers.map(({ status }) => status)).toEqual(plans.map(() => 200));
    const active = (await assignments(admin)).filter(({ is_active }) => is_active);
    expect(active).toEqual([{ plan_id: (await current(admin)).plan_id, is_active: true, ended: false }]);
    const changes = (await auditOf(admin, 'plan.assigned')) as { from: string; to: string }[];
    expect(changes.slice(1).map(({ from }) => from)).toEqual(changes.slice(0, -1).map(({ to }) => to));
    expect(changes.at(-1)?.to).toBe(active[0]?.plan_id);
  });

  it('is set at the start of a demo once, and not again after somebody changed it', async () => {
    const admin = await adminOn('free');
    const start = () => app.as(admin.tenantId, () => app.app.nest.get(Plans, { strict: false }).startOn('enterprise'));
    await start();
    expect(await current(admin)).toMatchObject({ plan_id: 'enterprise' });
    await assign(admin, 'free').expect(200);
    await start();
    expect(await current(admin)).toMatchObject({ plan_id: 'free' });
  });
});

describe('who may see and change it', () => {
  it('04 §4 case 3, 01 §7 case 5: not the admin of another tenant', async () => {
    const [owner, stranger] = [await adminOn('pro'), await adminOn('enterprise')];
    for (const response of [
      await stranger.get(planOf(owner)),
      await stranger.patch(planOf(owner), { plan_id: 'free' }),
      await stranger.patch(`${planOf(owner)}/overrides`, { feature_key: 'feature.tts', enabled: false }),
      await stranger.delete(`${planOf(owner)}/overrides/feature.tts`),
    ]) {
      expect([response.status, response.body.error.code]).toEqual([403, 'AUTH_FORBIDDEN']);
    }
    expect(await current(owner)).toMatchObject({ plan_id: 'pro' });
    const refusals = (await app.audit(stranger.tenantId)).filter(({ event_type }) => event_type === 'rbac.forbidden');
    expect(refusals).toHaveLength(4);
  });

  it('04 §4 case 10: not readers and editors', async () => {
    const admin = await adminOn('pro');
    for (const role of ['reader', 'editor'] as const) {
      const actor = await app.actor(role, admin.tenantId);
      await actor.get('/v1/admin/plans').expect(403);
      await actor.get(planOf(admin)).expect(403);
      await assign(actor, 'free').expect(403);
      await actor.post('/v1/self-serve/plan/upgrade-request', { target_plan: 'enterprise' }).expect(403);
    }
  });
});

describe('an override', () => {
  it('04 §4 case 2: wins over the plan, leaving the rest to it', async () => {
    const admin = await adminOn('free');
    const config_json = { voices: ['nova'] };
    const response = await override(admin, { feature_key: 'feature.tts', enabled: true, config_json }).expect(200);
    expect(feature(response, 'feature.tts')).toEqual({ feature_key: 'feature.tts', enabled: true, config_json });
    expect(feature(response, 'feature.retrieval.local_pgvector')?.enabled).toBe(true);
    expect(feature(response, 'feature.identity.sso')?.enabled).toBe(false);
    expect(await auditOf(admin, 'plan.override.updated')).toEqual([
      { feature_key: 'feature.tts', enabled: true, has_config: true },
    ]);
  });

  it('keeps what a change does not mention, and gives back to the plan what is null', async () => {
    const admin = await adminOn('free');
    const key = 'feature.tts';
    await override(admin, { feature_key: key, enabled: true, config_json: { voices: ['nova'] } }).expect(200);
    const off = await override(admin, { feature_key: key, enabled: false }).expect(200);
    expect(feature(off, key)).toEqual({ feature_key: key, enabled: false, config_json: { voices: ['nova'] } });
    const open = await override(admin, { feature_key: key, enabled: null, config_json: null }).expect(200);
    expect(feature(open, key)).toEqual({ feature_key: key, enabled: false, config_json: null });
    await assign(admin, 'pro').expect(200);
    expect(feature(await admin.get(planOf(admin)), key)?.enabled).toBe(true);
  });

  it('is gone once it is deleted; deleting it again is no error and no event', async () => {
    const admin = await adminOn('pro');
    await override(admin, { feature_key: 'feature.tts', enabled: false }).expect(200);
    const path = `${planOf(admin)}/overrides/feature.tts`;
    await admin.delete(path).expect(204);
    expect(feature(await admin.get(planOf(admin)), 'feature.tts')?.enabled).toBe(true);
    await admin.delete(path).expect(204);
    expect(await auditOf(admin, 'plan.override.updated')).toEqual([
      { feature_key: 'feature.tts', enabled: false, has_config: false },
      { feature_key: 'feature.tts', enabled: null, has_config: false },
    ]);
  });

  it('04 §4 case 5: is only of a feature that there is, and of a bounded size', async () => {
    const admin = await adminOn('free');
    for (const response of [
      await override(admin, { feature_key: 'feature.nope', enabled: true }),
      await override(admin, { feature_key: 'feature.tts', config_json: { note: 'x'.repeat(9000) } }),
      await admin.delete(`${planOf(admin)}/overrides/feature.nope`),
    ]) {
      expect([response.status, response.body.error.code]).toEqual([422, 'VALIDATION_ERROR']);
    }
    await override(admin, { feature_key: 'feature.tts', enabled: 'yes' }).expect(422);
    expect(await app.rows(`SELECT 1 FROM tenant_feature_overrides WHERE tenant_id = $1`, [admin.tenantId])).toEqual([]);
  });
});

describe('what a plan includes', () => {
  it('04 §4 case 1: a question with speech, after an override', async () => {
    const admin = await adminOn('free');
    const corpusId = await corpus(admin);
    for (const stream of [true, false]) {
      expectDenied(await ask(admin, corpusId, { audio: true, stream, session_id: 'refused' }), 'feature.tts');
    }
    expect(await app.rows(`SELECT 1 FROM messages WHERE tenant_id = $1`, [admin.tenantId])).toEqual([]);
    await ask(admin, corpusId, { session_id: 'refused' }).expect(200);
    await override(admin, { feature_key: 'feature.tts', enabled: true }).expect(200);
    await ask(admin, corpusId, { audio: true }).expect(200);
  });

  it('04 §4 case 6: a provider, unless an override switches it off', async () => {
    const admin = await adminOn('enterprise');
    const corpusId = await corpus(admin, BEDROCK);
    await override(admin, { feature_key: 'feature.retrieval.aws_bedrock', enabled: false }).expect(200);
    const key = 'feature.retrieval.aws_bedrock';
    expectDenied(await admin.get(`/v1/corpora/${corpusId}/search?q=penguin`), key);
    expectDenied(await ask(admin, corpusId), key);
    expectDenied(await admin.post('/v1/corpora', { name: 'Another', provider_config_json: BEDROCK }), key);
    expectDenied(await admin.patch(`/v1/corpora/${corpusId}`, { provider_config_json: BEDROCK }), key);
    await admin.patch(`/v1/corpora/${corpusId}`, { provider_config_json: VERTEX }).expect(200);
  });

  it('04 §4 case 9: not what was made on a larger plan, which is kept all the same', async () => {
    const admin = await adminOn('enterprise');
    const corpusId = await corpus(admin, BEDROCK);
    const before = (await admin.get(`/v1/corpora/${corpusId}`).expect(200)).body.data;
    await assign(admin, 'free').expect(200);
    for (const stream of [true, false]) {
      expectDenied(await ask(admin, corpusId, { stream }), 'feature.retrieval.aws_bedrock');
    }
    expectDenied(await admin.get(`/v1/corpora/${corpusId}/search?q=x`), 'feature.retrieval.aws_bedrock');
    expect((await admin.get(`/v1/corpora/${corpusId}`).expect(200)).body.data).toEqual(before);
  });

  it('04 §3: the change of a provider config, and each provider for itself', async () => {
    const admin = await adminOn('free');
    const corpusId = await corpus(admin, LOCAL);
    const change = (provider_config_json: object) => admin.patch(`/v1/corpora/${corpusId}`, { provider_config_json });
    expectDenied(await change(LOCAL), 'feature.corpora_patch_provider_config');
    await admin.patch(`/v1/corpora/${corpusId}`, { name: `Renamed ${(named += 1)}` }).expect(200);
    expectDenied(
      await admin.post('/v1/corpora', { name: 'V', provider_config_json: VERTEX }),
      'feature.retrieval.gcp_vertex',
    );
    await assign(admin, 'pro').expect(200);
    expectDenied(await change(BEDROCK), 'feature.retrieval.aws_bedrock');
    await change(VERTEX).expect(200);
  });
});

describe('a change', () => {
  // Both processes have the plan in their cache; one that went on with it would sell for half a minute what ended.
  it('04 §4 case 7: is in force in every process within a second', async () => {
    const admin = await adminOn('free');
    const key = 'feature.retrieval.gcp_vertex';
    const creates = async () => {
      const create = (url: string) =>
        supertest(url)
          .post('/v1/corpora')
          .set('Authorization', `Bearer ${admin.token}`)
          .send({ name: `Corpus ${(named += 1)}`, provider_config_json: VERTEX });
      return (await Promise.all([create(app.url), create(replica.url)])).map(({ status }) => status);
    };
    for (const [change, expected] of [
      [() => override(admin, { feature_key: key, enabled: true }), 201],
      [() => admin.delete(`${planOf(admin)}/overrides/${key}`), 403],
      [() => assign(admin, 'pro'), 201],
      [() => assign(admin, 'free'), 403],
    ] as const) {
      const former = expected === 201 ? 403 : 201;
      expect(await creates()).toEqual([former, former]);
      expect((await change()).ok).toBe(true);
      const started = performance.now();
      await eventually(async () => expect(await creates()).toEqual([expected, expected]), 5000);
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });

  it('is in force after the time to live when its message was lost', async () => {
    const admin = await adminOn('free');
    const corpusId = await corpus(admin);
    expectDenied(await ask(admin, corpusId, { audio: true }), 'feature.tts');
    await app.rows(
      `INSERT INTO tenant_feature_overrides (tenant_id, feature_key, enabled) VALUES ($1, 'feature.tts', true)`,
      [admin.tenantId],
    );
    expectDenied(await ask(admin, corpusId, { audio: true }), 'feature.tts');
    clock.advance(31);
    await ask(admin, corpusId, { audio: true }).expect(200);
  });
});

describe('a request for a larger plan', () => {
  const request = (actor: Actor, body: object) => actor.post('/v1/self-serve/plan/upgrade-request', body);
  const requests = (actor: Actor) =>
    app.rows(
      `SELECT id::int, current_plan_id, target_plan_id, reason, status, requested_by_actor_id
         FROM plan_upgrade_requests WHERE tenant_id = $1 ORDER BY id`,
      [actor.tenantId],
    );

  it('04 §6 case 11: is taken, kept and recorded', async () => {
    const admin = await adminOn('free');
    const response = await request(admin, { target_plan: 'pro', reason: 'We need speech.' }).expect(202);
    const { request_id } = response.body.data;
    expect(response.body.data).toEqual({ request_id: expect.any(Number), status: 'pending' });
    expect(await requests(admin)).toEqual([
      {
        id: request_id,
        current_plan_id: 'free',
        target_plan_id: 'pro',
        reason: 'We need speech.',
        status: 'pending',
        requested_by_actor_id: admin.keyId,
      },
    ]);
    expect(await auditOf(admin, 'plan.upgrade_requested')).toEqual([
      { current_plan: 'free', target_plan: 'pro', reason: 'We need speech.' },
    ]);
  });

  it('is one for each plan while it is pending, also when it is made ten times at once', async () => {
    const admin = await adminOn('free');
    const answers = await Promise.all(Array.from({ length: 10 }, () => request(admin, { target_plan: 'pro' })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(new Set(answers.map(({ body }) => body.data.request_id as number)).size).toBe(1);
    const other = await request(admin, { target_plan: 'enterprise' }).expect(202);
    expect(other.body.data.request_id).not.toBe(answers[0]?.body.data.request_id);
    expect(await auditOf(admin, 'plan.upgrade_requested')).toHaveLength(2);
  });

  it('is approved by the assignment of its plan, after which a new one can be made', async () => {
    const admin = await adminOn('free');
    await request(admin, { target_plan: 'pro' }).expect(202);
    await request(admin, { target_plan: 'enterprise' }).expect(202);
    await assign(admin, 'pro').expect(200);
    expect((await requests(admin)).map(({ status }) => status)).toEqual(['approved', 'pending']);
    await assign(admin, 'free').expect(200);
    await request(admin, { target_plan: 'pro' }).expect(202);
    expect((await requests(admin)).map(({ status }) => status)).toEqual(['approved', 'pending', 'pending']);
  });

  it('04 §6 case 11: is for a plan that one pays for and that is offered', async () => {
    const admin = await adminOn('pro');
    for (const body of [
      { target_plan: 'free' },
      { target_plan: 'gold' },
      { target_plan: 'enterprise', reason: 'x'.repeat(1025) },
    ]) {
      const response = await request(admin, body).expect(422);
      expect(response.body.error.code).toBe('REQUEST_VALIDATION_ERROR');
    }
    await asOwner(app, `UPDATE plans SET is_active = false WHERE id = 'enterprise'`);
    try {
      expect((await request(admin, { target_plan: 'enterprise' }).expect(404)).body.error.code).toBe('NOT_FOUND');
    } finally {
      await asOwner(app, `UPDATE plans SET is_active = true WHERE id = 'enterprise'`);
    }
    expect(await requests(admin)).toEqual([]);
  });
});
