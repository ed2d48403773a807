import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { SETTINGS } from '../../../src/app/catalogue.js';
import { loadSettings } from '../../../src/kernel/settings.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { Replica } from '../../harness/replica.js';
import { ShiftedClock } from '../auth/shifted-clock.js';
import {
  AUTHZ,
  createPolicy,
  dataOf,
  eventsOf,
  expectRefused,
  explained,
  grant,
  itemsOf,
  newDocument,
  POLICIES,
  policyBody,
  type Json,
} from './authz.js';

const TEMPLATES = `${AUTHZ}/templates`;
const TTL_SECONDS = 30;

const clock = new ShiftedClock();
let app: TestApp;
let replica: Replica;
let admin: Actor;

beforeAll(async () => {
  app = await TestApp.start({}, { clock }, false);
  replica = await Replica.of(app);
  admin = await app.actor('admin');
});
afterAll(async () => {
  await replica.close();
  await app.close();
});

const create = (body: Json = {}, by = admin) => by.post(POLICIES, policyBody(body));
const get = async (id: string, by = admin) => dataOf(await by.get(`${POLICIES}/${id}`).expect(200));
const names = (items: readonly Json[]) => items.map(({ name }) => name);
const nested = (times: number): Json =>
  Array.from({ length: times }).reduce<Json>((inner) => ({ not: inner }), { eq: [1, 1] });

describe('the policies of a tenant', () => {
  it('06 §8: begin with two that allow documents and runs, which the tenant may change', async () => {
    const newcomer = await app.actor('admin');
    const items = itemsOf(await newcomer.get(POLICIES).expect(200));
    expect(
      items
        .map(({ name, effect, resource_type, action, condition_json, priority, enabled, created_by }) => [
          name,
          effect,
          resource_type,
          action,
          condition_json,
          priority,
          enabled,
          created_by,
        ])
        .sort(),
    ).toEqual([
      ['baseline-allow-documents', 'allow', 'document', '*', {}, 10, true, null],
      ['baseline-allow-run', 'allow', 'corpus', 'run', {}, 10, true, null],
    ]);
    await newcomer.patch(`${POLICIES}/${String(items[0]?.['id'])}`, { enabled: false }).expect(200);
    await newcomer.delete(`${POLICIES}/${String(items[1]?.['id'])}`).expect(204);
    expect(itemsOf(await newcomer.get(POLICIES).expect(200))).toHaveLength(1);
  });

  it('06 §6: are created with defaults, audited, and read back', async () => {
    const response = await create({ condition_json: null }).expect(201);
    const policy = dataOf(response);
    expect(policy).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      tenant_id: admin.tenantId,
      name: 'A policy',
      version: 1,
      effect: 'allow',
      resource_type: 'document',
      action: 'read',
      condition_json: {},
      priority: 100,
      enabled: true,
      created_by: admin.keyId,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect([response.get('ETag'), response.get('Location')]).toEqual(['"1"', `${POLICIES}/${String(policy['id'])}`]);
    expect(await get(policy['id'] as string)).toEqual(policy);
    const [event] = (await eventsOf(app, admin, 'authz.policy.created')).slice(-1);
    expect(event).toMatchObject({
      resource_type: 'authorization_policy',
      resource_id: policy['id'],
      metadata_json: { resource_type: 'document', action: 'read', effect: 'allow' },
    });
  });

  it('06 §6: are listed by priority and then id, disabled ones included, in pages', async () => {
    const owner = await app.actor('admin');
    for (const [name, priority, enabled] of [
      ['low', -5, true],
      ['high', 900, false],
      ['same', 100, true],
      ['same', 100, true],
    ] as const) {
      await create({ name, priority, enabled }, owner).expect(201);
    }
    const all = itemsOf(await owner.get(POLICIES).expect(200));
    expect(all.map(({ priority }) => priority)).toEqual([900, 100, 100, 10, 10, -5]);
    const ties = all.filter(({ priority }) => priority === 100).map(({ id }) => String(id));
    expect(ties).toEqual([...ties].sort());
    const found: Json[] = [];
    let path: string | undefined = `${POLICIES}?limit=2`;
    while (path !== undefined) {
      const page = await owner.get(path).expect(200);
      found.push(...itemsOf(page));
      const { next_cursor } = page.body.meta.page as { next_cursor: string | null };
      path = next_cursor === null ? undefined : `${POLICIES}?limit=2&cursor=${next_cursor}`;
    }
    expect(found).toEqual(all);
    expectRefused(await owner.get(`${POLICIES}?cursor=x`), 400, 'INVALID_CURSOR');
  });

  it('06 §6: change field by field, each change a version', async () => {
    const id = await createPolicy(admin, { condition_json: { eq: [1, 1] } });
    const change = (body: Json) => admin.patch(`${POLICIES}/${id}`, body);
    const changed = await change({ name: 'Renamed', action: '*', priority: 5 }).expect(200);
    expect(dataOf(changed)).toMatchObject({ name: 'Renamed', action: '*', priority: 5, version: 2, effect: 'allow' });
    expect(dataOf(await change({ condition_json: null }).expect(200))).toMatchObject({
      condition_json: {},
      version: 3,
    });
    expect(dataOf(await change({}).expect(200))).toMatchObject({ version: 3 });
    const versions = itemsOf(await admin.get(`${POLICIES}/${id}/versions`).expect(200));
    expect(versions.map(({ version, changed_by }) => [version, changed_by])).toEqual(
      [3, 2, 1].map((version) => [version, admin.keyId]),
    );
    expect(versions[1]?.['snapshot']).toEqual({
      name: 'Renamed',
      effect: 'allow',
      resource_type: 'document',
      action: '*',
      condition_json: { eq: [1, 1] },
      priority: 5,
      enabled: true,
    });
    const events = (await eventsOf(app, admin, 'authz.policy.updated')).filter(({ resource_id }) => resource_id === id);
    expect(events.map(({ metadata_json }) => metadata_json)).toEqual([
      { updated_fields: ['name', 'action', 'priority'] },
      { updated_fields: ['condition_json'] },
    ]);
  });

  it.each(['name', 'effect', 'resource_type', 'action', 'priority', 'enabled'])(
    '06 §6: 422 for %s: null',
    async (field) => {
      const id = await createPolicy(admin);
      expectRefused(await admin.patch(`${POLICIES}/${id}`, { [field]: null }), 422, 'REQUEST_VALIDATION_ERROR');
      expectRefused(await create({ [field]: null }), 422, 'REQUEST_VALIDATION_ERROR');
    },
  );

  // Two admins who each change half of a rule may together open what neither meant to.
  it('06 §6: do not change from a version that is not theirs any more', async () => {
    const id = await createPolicy(admin);
    const change = (body: Json, ifMatch?: string) => {
      const request = admin.patch(`${POLICIES}/${id}`, body);
      return ifMatch === undefined ? request : request.set('If-Match', ifMatch);
    };
    await change({ name: 'Second', version: 1 }).expect(200);
    expectRefused(await change({ name: 'Stale', version: 1 }), 409, 'CONFLICT');
    expectRefused(await change({ name: 'Stale' }, '"1"'), 409, 'CONFLICT');
    expect(await get(id)).toMatchObject({ name: 'Second', version: 2 });
    await change({ name: 'Third' }, '"2"').expect(200);
    const answers = await Promise.all([1, 2, 3].map((n) => change({ name: `Racer ${n}`, version: 3 })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(await get(id)).toMatchObject({ version: 4 });
  });

  it('06 §6: are switched on and off without a new version, again without effect', async () => {
    const id = await createPolicy(admin);
    for (const [verb, enabled] of [
      ['disable', false],
      ['disable', false],
      ['enable', true],
      ['enable', true],
    ] as const) {
      const response = await admin.post(`${POLICIES}/${id}/${verb}`).expect(200);
      expect(dataOf(response)).toMatchObject({ enabled, version: 1 });
    }
    const events = (await app.audit(admin.tenantId)).filter(({ resource_id }) => resource_id === id);
    expect(events.map(({ event_type }) => event_type)).toEqual([
      'authz.policy.created',
      'authz.policy.disabled',
      'authz.policy.enabled',
    ]);
  });

  it('06 §6: are gone once they are deleted, but for their versions', async () => {
    const id = await createPolicy(admin);
    await admin.delete(`${POLICIES}/${id}`).expect(204);
    for (const response of [
      await admin.get(`${POLICIES}/${id}`),
      await admin.patch(`${POLICIES}/${id}`, { name: 'x' }),
      await admin.post(`${POLICIES}/${id}/enable`),
      await admin.post(`${POLICIES}/${id}/simulate`, { resource_type: 'document', action: 'read' }),
      await admin.delete(`${POLICIES}/${id}`),
    ])
      expectRefused(response, 404, 'NOT_FOUND');
    expect(itemsOf(await admin.get(POLICIES)).map((policy) => policy['id'])).not.toContain(id);
    expect(itemsOf(await admin.get(`${POLICIES}/${id}/versions`).expect(200))).toHaveLength(1);
    expect((await eventsOf(app, admin, 'authz.policy.deleted')).map(({ resource_id }) => resource_id)).toContain(id);
  });

  it('06 case 25: are created once for one Idempotency-Key', async () => {
    const owner = await app.actor('admin');
    const send = () => create({ name: 'Once' }, owner).set('Idempotency-Key', 'create');
    const [first, second] = [await send().expect(201), await send().expect(201)];
    expect([second.text, second.get('Idempotency-Replayed')]).toEqual([first.text, 'true']);
    expect(names(itemsOf(await owner.get(POLICIES))).filter((name) => name === 'Once')).toHaveLength(1);
  });
});

describe('what is refused', () => {
  it('06 case 10: every action on everything, unless the installation allows it; a single wildcard is fine', async () => {
    expectRefused(await create({ resource_type: '*', action: '*' }), 422, 'AUTHZ_POLICY_INVALID');
    const id = await createPolicy(admin, { resource_type: 'document', action: '*' });
    expectRefused(await admin.patch(`${POLICIES}/${id}`, { resource_type: '*' }), 422, 'AUTHZ_POLICY_INVALID');
    await create({ resource_type: '*', action: 'read' }).expect(201);
  });

  it('06 §5.1: what nothing ever asks for, naming what is asked for', async () => {
    for (const [resource_type, action] of [
      ['corpus', 'read'],
      ['document', 'run'],
      ['run', 'run'],
      ['admin', 'manage'],
      ['audit', '*'],
      ['*', 'manage'],
      ['table', 'read'],
      ['document', 'drop'],
    ]) {
      const response = await create({ resource_type, action });
      expectRefused(response, 422, 'AUTHZ_POLICY_INVALID');
    }
    expect((await create({ resource_type: 'corpus', action: 'read' })).body.error.message).toContain('corpus:run');
  });

  it('06 case 11: a condition of nine levels; eight are fine', async () => {
    expectRefused(await create({ condition_json: nested(7) }), 422, 'AUTHZ_POLICY_TOO_COMPLEX');
    await create({ condition_json: nested(6) }).expect(201);
  });

  it('06 case 12: a condition a byte too large, an unknown operator, two operators in one', async () => {
    const sized = (bytes: number): Json => {
      const shell = JSON.stringify({ eq: ['', 1] }).length;
      return { eq: ['x'.repeat(bytes - shell), 1] };
    };
    await create({ condition_json: sized(16_384) }).expect(201);
    expectRefused(await create({ condition_json: sized(16_385) }), 422, 'AUTHZ_POLICY_TOO_COMPLEX');
    expectRefused(await create({ condition_json: { matches: [1, 2] } }), 422, 'AUTHZ_POLICY_INVALID');
    expectRefused(await create({ condition_json: { eq: [1, 1], ne: [1, 2] } }), 422, 'AUTHZ_POLICY_INVALID');
    const id = await createPolicy(admin);
    expectRefused(await admin.patch(`${POLICIES}/${id}`, { condition_json: { all: 5 } }), 422, 'AUTHZ_POLICY_INVALID');
  });

  it('06 case 13: a tenant_id, before anything else is looked at', async () => {
    expectRefused(await create({ tenant_id: admin.tenantId, colour: 'red' }), 400, 'TENANT_ID_NOT_ALLOWED');
  });

  it('06 §6: names without letters, effects, priorities and fields that there are not', async () => {
    for (const body of [
      { name: '' },
      { name: 'x'.repeat(129) },
      { effect: 'permit' },
      { priority: 1.5 },
      { priority: 2 ** 31 },
      { enabled: 'yes' },
      { colour: 'red' },
      { condition_json: [] },
      { condition_json: 'x' },
    ]) {
      expectRefused(await create(body), 422, 'REQUEST_VALIDATION_ERROR');
    }
  });

  it('06 case 16: the admin of another tenant, and a tenant that would change a template', async () => {
    const id = await createPolicy(admin);
    const stranger = await app.actor('admin');
    const template = dataOf(await admin.post(TEMPLATES, policyBody({ condition_json: { any: [] } })).expect(201))[
      'id'
    ] as string;
    for (const [by, policy] of [
      [stranger, id],
      [admin, template],
    ] as const) {
      for (const response of [
        await by.get(`${POLICIES}/${policy}`),
        await by.patch(`${POLICIES}/${policy}`, { enabled: false }),
        await by.post(`${POLICIES}/${policy}/disable`),
        await by.delete(`${POLICIES}/${policy}`),
        await by.get(`${POLICIES}/${policy}/versions`),
      ])
        expectRefused(response, 404, 'NOT_FOUND');
    }
    expect(await get(id)).toMatchObject({ enabled: true, version: 1 });
    await admin.delete(`${TEMPLATES}/${template}`).expect(204);
  });

  it('06 case 17: an editor, recorded', async () => {
    const editor = await app.actor('editor', admin.tenantId);
    for (const response of [
      await editor.get(POLICIES),
      await editor.post(POLICIES, {}),
      await editor.post(`${AUTHZ}/explain`, {}),
      await editor.get(`${AUTHZ}/documents/d/permissions`),
      await editor.get('/v1/ops/authz/posture'),
      await editor.get(TEMPLATES),
    ]) {
      expectRefused(response, 403, 'AUTH_FORBIDDEN');
    }
    const refusals = (await eventsOf(app, admin, 'rbac.forbidden')).filter(({ actor_id }) => actor_id === editor.keyId);
    expect(refusals).toHaveLength(6);
  });
});

describe('a simulation', () => {
  const ask = (id: string, more: Json = {}, by = admin) =>
    by.post(`${POLICIES}/${id}/simulate`, { resource_type: 'document', action: 'read', ...more });

  // The walk through policies in the README: whoever follows it must see what it says.
  it('takes the policies and the question of the documentation as they are printed', async () => {
    const owner = await app.actor('admin');
    const deny = dataOf(
      await owner
        .post(POLICIES, {
          name: 'deny-high-sensitivity',
          effect: 'deny',
          resource_type: 'document',
          action: 'read',
          priority: 200,
          condition_json: { eq: [{ var: 'resource.labels.sensitivity' }, 'high'] },
        })
        .expect(201),
    );
    await owner
      .post(POLICIES, {
        name: 'allow-editors-hours',
        effect: 'allow',
        resource_type: 'document',
        action: 'write',
        priority: 100,
        condition_json: {
          all: [
            { eq: [{ var: 'principal.role' }, 'editor'] },
            { time_between: [{ var: 'request.time' }, { start: '09:00', end: '18:00' }] },
          ],
        },
      })
      .expect(201);
    const question = {
      resource_type: 'document',
      action: 'read',
      principal: { role: 'reader' },
      resource: { labels: { sensitivity: 'high' } },
    };
    const response = await owner.post(`${POLICIES}/${String(deny['id'])}/simulate`, question).expect(200);
    expect(dataOf(response)).toEqual({
      allowed: false,
      reason: 'policy_deny',
      matched_policy_id: deny['id'],
      matched_policies: [deny['id']],
      trace: [{ policy_id: deny['id'], effect: 'deny', matched: true }],
    });
  });

  it('06 case 14: decides as if a disabled policy were on, while real decisions go on without it', async () => {
    const owner = await app.actor('admin');
    const document = await newDocument(app, owner, { sensitivity: 'high' });
    await grant(owner, document, owner.userId).expect(201);
    const id = await createPolicy(owner, {
      effect: 'deny',
      enabled: false,
      condition_json: { eq: [{ var: 'resource.labels.sensitivity' }, 'high'] },
    });
    const simulated = dataOf(await ask(id, { resource: { labels: { sensitivity: 'high' } } }, owner).expect(200));
    expect(simulated).toMatchObject({ allowed: false, reason: 'policy_deny', matched_policy_id: id });
    expect(dataOf(await ask(id, { resource: { labels: {} } }, owner).expect(200))).toMatchObject({
      allowed: true,
      reason: 'policy_allow',
    });
    expect(await explained(owner, document, owner.userId)).toMatchObject({ allowed: true, reason: 'policy_allow' });
    expect(await get(id, owner)).toMatchObject({ enabled: false, version: 1 });
    const events = await eventsOf(app, owner, 'authz.simulation.run');
    expect(events.map(({ outcome, resource_id, metadata_json }) => [outcome, resource_id, metadata_json])).toEqual([
      ['failure', id, { resource_type: 'document', action: 'read', matched_policy_id: id }],
      [
        'success',
        id,
        {
          resource_type: 'document',
          action: 'read',
          matched_policy_id: expect.any(String),
        },
      ],
    ]);
  });

  it('06 case 15: stays within the tenant', async () => {
    const id = await createPolicy(admin);
    for (const more of [
      { principal: { tenant_id: 'other' } },
      { resource: { tenant_id: 'other' } },
      { context: { principal: { tenant_id: 'other' } } },
      { principal: { tenant_id: null } },
    ]) {
      expectRefused(await ask(id, more), 400, 'AUTHZ_SIMULATION_INVALID');
    }
    await ask(id, { principal: { tenant_id: admin.tenantId } }).expect(200);
  });

  it('06 §6: is of something that is asked', async () => {
    const id = await createPolicy(admin);
    for (const more of [
      { resource_type: 'table' },
      { action: 'drop' },
      { resource_type: '*' },
      { resource_type: 'corpus' },
    ]) {
      expectRefused(await ask(id, more), 400, 'AUTHZ_SIMULATION_INVALID');
    }
    await ask(id, { resource_type: 'corpus', action: 'run' }).expect(200);
    expectRefused(await ask(id, { colour: 'red' }), 422, 'REQUEST_VALIDATION_ERROR');
    expectRefused(await ask(id, { principal: 'me' }), 422, 'REQUEST_VALIDATION_ERROR');
  });

  it('06 §6: knows the tenant and the time, and takes what context adds', async () => {
    const condition_json = {
      all: [
        { eq: [{ var: 'principal.tenant_id' }, admin.tenantId] },
        { starts_with: [{ var: 'request.time' }, clock.now().toISOString().slice(0, 8)] },
        { eq: [{ var: 'principal.role' }, 'reader'] },
        { eq: [{ var: 'principal.plan' }, 'pro'] },
      ],
    };
    const id = await createPolicy(admin, { effect: 'deny', condition_json, enabled: false });
    const given = { principal: { role: 'reader' }, context: { principal: { role: 'editor', plan: 'pro' } } };
    expect(dataOf(await ask(id, given).expect(200))).toMatchObject({ reason: 'policy_deny', matched_policy_id: id });
  });

  it('06 §6: of a draft decides beside the stored policies, and stores nothing', async () => {
    const owner = await app.actor('admin');
    const before = itemsOf(await owner.get(POLICIES));
    const simulate = (policy: Json) =>
      owner.post(`${AUTHZ}/simulate`, { resource_type: 'document', action: 'delete', policy });
    const deny = { effect: 'deny', resource_type: 'document', action: '*' };
    expect(dataOf(await simulate(deny).expect(200))).toMatchObject({ allowed: false, matched_policy_id: 'draft' });
    expect(dataOf(await simulate({ ...deny, condition_json: { any: [] } }).expect(200))).toMatchObject({
      allowed: true,
    });
    expectRefused(await simulate({ ...deny, action: 'run' }), 422, 'AUTHZ_POLICY_INVALID');
    expectRefused(await simulate({ ...deny, condition_json: nested(7) }), 422, 'AUTHZ_POLICY_TOO_COMPLEX');
    for (const policy of [{ ...deny, colour: 'red' }, { ...deny, effect: 'x' }, 'deny', []]) {
      expectRefused(await simulate(policy as Json), 422, 'REQUEST_VALIDATION_ERROR');
    }
    expect(itemsOf(await owner.get(POLICIES))).toEqual(before);
  });

  it('06 §6: happens where policies are switched off, and not where simulations are', async () => {
    const other = await TestApp.start(
      { AUTHZ_ABAC_ENABLED: 'false', AUTHZ_BOOTSTRAP_BASELINE_POLICIES: 'false', AUTHZ_ALLOW_WILDCARDS: 'true' },
      {},
      false,
    );
    const strict = await TestApp.start({ AUTHZ_SIMULATION_ENABLED: 'false' }, {}, false);
    try {
      const owner = await other.actor('admin');
      expect(itemsOf(await owner.get(POLICIES))).toEqual([]);
      const id = await createPolicy(owner, { effect: 'deny', resource_type: '*', action: '*', enabled: false });
      expect(dataOf(await ask(id, {}, owner).expect(200))).toMatchObject({ allowed: false, reason: 'policy_deny' });
      await owner.post(`${POLICIES}/${id}/enable`).expect(200);
      const posture = dataOf(await owner.get('/v1/ops/authz/posture').expect(200));
      expect(posture).toMatchObject({ abac_enabled: false, wildcard_policies: 1 });
      const refused = await strict.actor('admin');
      expectRefused(await ask(await createPolicy(refused), {}, refused), 403, 'AUTHZ_DENIED');
    } finally {
      await other.close();
      await strict.close();
    }
  });
});

describe('a template', () => {
  it('06 §6: applies to every tenant, in every process, for as long as it is there', async () => {
    const [one, other] = [await app.actor('admin'), await app.actor('admin')];
    const document = await newDocument(app, one);
    await grant(one, document, one.userId).expect(201);
    const reasons = async () => {
      const question = { principal_type: 'user', principal_id: one.userId, document_id: document, action: 'read' };
      const asked = [app.url, replica.url].map((url) =>
        supertest(url).post(`${AUTHZ}/explain`).set('Authorization', `Bearer ${one.token}`).send(question).expect(200),
      );
      return (await Promise.all(asked)).map((response) => dataOf(response)['reason']);
    };
    expect(await reasons()).toEqual(['policy_allow', 'policy_allow']);
    const body = policyBody({ name: 'Nobody reads', effect: 'deny' });
    const created = dataOf(await admin.post(TEMPLATES, body).expect(201));
    expect(created).toMatchObject({ tenant_id: null, version: 1 });
    const path = `${TEMPLATES}/${String(created['id'])}`;
    try {
      await eventually(async () => expect(await reasons()).toEqual(['policy_deny', 'policy_deny']), 1000);
      expect(names(itemsOf(await other.get(POLICIES)))).toContain('Nobody reads');
      expect(names(itemsOf(await other.get(`${POLICIES}?include_global=false`)))).not.toContain('Nobody reads');
      expect(names(itemsOf(await admin.get(TEMPLATES)))).toContain('Nobody reads');
      expectRefused(await admin.patch(path, { enabled: false, version: 7 }), 409, 'CONFLICT');
      await admin.patch(path, { enabled: false }).expect(200);
      await eventually(async () => expect(await reasons()).toEqual(['policy_allow', 'policy_allow']), 1000);
    } finally {
      await admin.delete(path).expect(204);
    }
    expectRefused(await admin.get(path), 404, 'NOT_FOUND');
    const events = (await app.audit(admin.tenantId)).filter(({ resource_id }) => resource_id === created['id']);
    expect(events.map(({ event_type, resource_type }) => [event_type, resource_type])).toEqual(
      ['created', 'updated', 'deleted'].map((verb) => [`authz.policy.${verb}`, 'authorization_policy_template']),
    );
  });

  it('01 §7: is only for operators', async () => {
    const production = await TestApp.start({ PLATFORM_OPERATOR_TENANTS: 'ops' }, {}, false);
    try {
      const customer = await production.actor('admin');
      for (const response of [
        await customer.get(TEMPLATES),
        await customer.post(TEMPLATES, policyBody()),
        await customer.delete(`${TEMPLATES}/x`),
      ]) {
        expectRefused(response, 403, 'PLATFORM_OPERATOR_REQUIRED');
      }
    } finally {
      await production.close();
    }
  });
});

describe('a change', () => {
  // A node that went on allowing what was forbidden a minute ago would make every revocation a hope.
  it('06 case 28: of a policy on one node is honoured by the other within a second', async () => {
    const owner = await app.actor('admin');
    const document = await newDocument(app, owner);
    await grant(owner, document, owner.userId).expect(201);
    const id = await createPolicy(owner, { effect: 'deny', enabled: false });
    const question = { principal_type: 'user', principal_id: owner.userId, document_id: document, action: 'read' };
    const there = async () => {
      const response = await supertest(replica.url)
        .post(`${AUTHZ}/explain`)
        .set('Authorization', `Bearer ${owner.token}`)
        .send(question);
      return dataOf(response)['reason'];
    };
    expect(await there()).toBe('policy_allow');
    for (const [verb, reason] of [
      ['enable', 'policy_deny'],
      ['disable', 'policy_allow'],
    ] as const) {
      await owner.post(`${POLICIES}/${id}/${verb}`).expect(200);
      const started = performance.now();
      await eventually(async () => expect(await there()).toBe(reason), 5000);
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });

  it('is in force after the time to live when its message was lost', async () => {
    const owner = await app.actor('admin');
    const document = await newDocument(app, owner);
    await grant(owner, document, owner.userId).expect(201);
    const reason = async () => (await explained(owner, document, owner.userId))['reason'];
    expect(await reason()).toBe('policy_allow');
    await app.rows(`UPDATE authorization_policies SET effect = 'deny' WHERE tenant_id = $1 RETURNING id`, [
      owner.tenantId,
    ]);
    expect(await reason()).toBe('policy_allow');
    clock.advance(TTL_SECONDS + 1);
    expect(await reason()).toBe('policy_deny');
  });
});

describe('hostile and excessive policies', () => {
  const TEXTS = [
    `'; DROP TABLE documents; --`,
    `" OR 1=1`,
    '$1',
    '%',
    '_%',
    '\\',
    '.*',
    '^(a+)+$',
    '[a-',
    `x' || pg_sleep(10) || '`,
    '${process.exit()}',
    '{"var":"x"}',
    '\u202e',
    '🐧',
  ];

  it('06, bad input: SQL and patterns in every operand are text and nothing else', async () => {
    const owner = await app.actor('admin');
    for (const text of TEXTS) {
      const operators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'contains', 'starts_with'].map((op) => ({
        [op]: [{ var: 'resource.labels.note' }, text],
      }));
      const condition_json = {
        any: [...operators, { in: [text, [text]] }, { not_in: [{ var: 'resource.labels.note' }, [text]] }],
      };
      const id = await createPolicy(owner, { name: text, effect: 'deny', condition_json, enabled: false });
      expect(await get(id, owner)).toMatchObject({ name: text, condition_json });
      const exact = { eq: [{ var: 'resource.labels.note' }, text] };
      await owner.patch(`${POLICIES}/${id}`, { condition_json: exact }).expect(200);
      const ask = async (note: string) =>
        dataOf(
          await owner
            .post(`${POLICIES}/${id}/simulate`, {
              resource_type: 'document',
              action: 'read',
              resource: { labels: { note } },
            })
            .expect(200),
        )['reason'];
      expect([await ask(text), await ask(`${text}.`)]).toEqual(['policy_deny', 'policy_allow']);
    }
  });

  it('06, bad input: a thousand policies are kept, listed and decided upon; more than two thousand are not kept', async () => {
    const owner = await app.actor('admin');
    const fill = (count: number, from: number) =>
      app.rows(
        `INSERT INTO authorization_policies (id, tenant_id, name, effect, resource_type, action, condition_json)
         SELECT md5($1 || n), $1, 'P' || n, 'deny', 'document', 'read',
                jsonb_build_object('eq', jsonb_build_array('{"var":"resource.labels.n"}'::jsonb, n::text))
           FROM generate_series($2::int, $3::int) n RETURNING id`,
        [owner.tenantId, from, from + count - 1],
      );
    await fill(998, 1);
    const document = await newDocument(app, owner, { n: '998' });
    await grant(owner, document, owner.userId).expect(201);
    expect(await explained(owner, document, owner.userId)).toMatchObject({ allowed: false, reason: 'policy_deny' });
    const page = await owner.get(POLICIES).expect(200);
    expect([itemsOf(page).length, page.body.meta.page.has_more]).toEqual([200, true]);
    await fill(999, 1000);
    await create({}, owner).expect(201);
    expectRefused(await create({}, owner), 409, 'CONFLICT');
  });

  it('06 case 20: one that cannot be evaluated denies, is named, and is counted by the posture', async () => {
    const owner = await app.actor('admin');
    const document = await newDocument(app, owner);
    await grant(owner, document, owner.userId).expect(201);
    const id = await createPolicy(owner, { effect: 'allow', priority: 999 });
    await app.rows(`UPDATE authorization_policies SET condition_json = '{"matches": 5}' WHERE id = $1 RETURNING id`, [
      id,
    ]);
    await owner.post(`${POLICIES}/${id}/disable`).expect(200);
    await owner.post(`${POLICIES}/${id}/enable`).expect(200);
    const decision = await explained(owner, document, owner.userId);
    expect(decision).toMatchObject({ allowed: false, reason: 'policy_invalid', matched_policy_id: id });
    expect(decision['trace']).toEqual([{ policy_id: id, effect: 'allow', matched: false, error: expect.any(String) }]);
    expect(dataOf(await owner.get('/v1/ops/authz/posture').expect(200))).toEqual({
      tenant_predicate_required: true,
      enforcement_mode: 'rls',
      abac_enabled: true,
      default_deny: true,
      wildcard_policies: 0,
      invalid_policies: 1,
    });
  });
});

describe('settings', () => {
  it('06 §9: keep a process from starting that would not keep tenants apart', () => {
    expect(() => loadSettings({ AUTHZ_REQUIRE_TENANT_PREDICATE: 'false' }, SETTINGS)).toThrow(/cannot be false/);
    expect(() => loadSettings({ AUTHZ_REQUIRE_TENANT_PREDICATE: 'true' }, SETTINGS)).not.toThrow();
  });
});
