import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { TestApp, type Actor } from '../../harness/app.js';
import { newCorpus } from '../retrieval/chunks.js';
import { dataOf, errorOf, Governed, rowsOf } from './governed.js';

const NOT_FOUND = [404, 'VECTOR_DB_NOT_FOUND', 'Vector DB not found'];
const NOT_OWNED = [403, 'VECTOR_DB_OWNERSHIP_MISMATCH', 'Vector DB ownership mismatch'];
const DETACHED = [409, 'ATTACHMENT_ALREADY_DETACHED', 'Attachment already detached'];
const NO_BINDING = [404, 'PROVIDER_KEY_BINDING_NOT_FOUND', 'Active provider key binding not found'];
const INACTIVE = [409, 'RESIDENCY_POLICY_INACTIVE', 'Residency policy is inactive'];
const WRONG_SCOPE = [
  409,
  'PROVIDER_KEY_BINDING_SCOPE_MISMATCH',
  'Provider key binding must target vector_db attachments',
];

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await TestApp.start({}, {}, false);
  admin = await app.actor('admin');
});
afterAll(() => app.close());

/** What is written down about vector databases of a tenant, as event and metadata. */
async function audited(tenantId: string, event: string): Promise<Record<string, unknown>[]> {
  const rows = (await app.audit(tenantId)).filter(({ event_type }) => event_type === event);
  return rows.map(({ metadata_json }) => metadata_json as Record<string, unknown>);
}

describe('vector databases', () => {
  it('18 case 1: are registered with defaults and listed in the order of their ids', async () => {
    const owner = await app.actor('editor');
    const first = dataOf(await owner.post('/v1/vector-dbs', { name: ' governed ' }).expect(200));
    expect(first).toEqual({
      id: expect.any(Number),
      uid: expect.any(String),
      name: 'governed',
      db_type: 'chroma',
      url: null,
      region: null,
      status: 'registered',
      created_at: expect.any(String),
    });
    expect(Number.isInteger(first['id'])).toBe(true);
    const second = dataOf(
      await owner.post('/v1/vector-dbs', { name: 'b', db_type: 'qdrant', region: 'eu' }).expect(200),
    );
    expect(rowsOf(await owner.get('/v1/vector-dbs').expect(200))).toEqual([first, second]);
    expect((second['id'] as number) > (first['id'] as number)).toBe(true);
    const page = await owner.get('/v1/vector-dbs?limit=1').expect(200);
    const { next_cursor } = (page.body as { meta: { page: { next_cursor: string } } }).meta.page;
    expect(rowsOf(await owner.get(`/v1/vector-dbs?limit=1&cursor=${next_cursor}`).expect(200))).toEqual([second]);
    expect(await audited(owner.tenantId, 'vector_db.created')).toContainEqual({
      vector_db_id: first['id'],
      db_type: 'chroma',
      region: null,
    });
  });

  it('18 case 2: are closed to others of the tenant, and do not exist for other tenants', async () => {
    const mine = await Governed.open(app, undefined, admin);
    const colleague = await app.actor('admin', admin.tenantId);
    const stranger = await app.actor('admin');
    const uuid = randomUUID();
    const requests: ((actor: Actor, path: string) => supertest.Test)[] = [
      (actor, path) => actor.get(path),
      (actor, path) => actor.delete(path),
      (actor, path) => actor.get(`${path}/residency-policies`),
      (actor, path) => actor.post(`${path}/residency-policies`, { region: 'eu' }),
      (actor, path) => actor.get(`${path}/attachments`),
      (actor, path) =>
        actor.post(`${path}/attachments`, {
          attachment_type: 'semantic',
          attachment_ref: uuid,
          residency_policy_id: 1,
          provider_key_binding_id: uuid,
        }),
      (actor, path) => actor.patch(`${path}/attachments/${uuid}`, {}),
      (actor, path) => actor.get(`${path}/incidents`),
      (actor, path) => actor.post(`${path}/incidents`, { incident_type: 'x' }),
      (actor, path) => actor.patch(`${path}/incidents/${uuid}`, {}),
      (actor, path) => actor.get(`${path.replace('/v1', '/v1/ui')}/governance`),
    ];
    for (const request of requests) {
      expect(errorOf(await request(colleague, mine.path))).toEqual(NOT_OWNED);
      expect(errorOf(await request(stranger, mine.path))).toEqual(NOT_FOUND);
      expect(errorOf(await request(admin, '/v1/vector-dbs/999999'))).toEqual(NOT_FOUND);
    }
    expect(rowsOf(await colleague.get('/v1/vector-dbs').expect(200))).toEqual([]);
  });

  it('are open to admins of the tenant where that is configured, and to nobody else', async () => {
    const open = await TestApp.start({ VECTOR_DB_TENANT_ADMIN_ACCESS: 'true' }, {}, false);
    try {
      const mine = await Governed.open(open);
      const { tenantId } = mine.owner;
      const colleague = await open.actor('admin', tenantId);
      expect(rowsOf(await colleague.get('/v1/vector-dbs').expect(200))).toHaveLength(1);
      await colleague.get(`${mine.path}/attachments`).expect(200);
      const editor = await open.actor('editor', tenantId);
      expect(errorOf(await editor.get(mine.path))).toEqual(NOT_OWNED);
      expect(errorOf(await (await open.actor('admin')).get(mine.path))).toEqual(NOT_FOUND);
    } finally {
      await open.close();
    }
  });

  it('are deleted without attachments only, unless forced; what happened to them is kept', async () => {
    const mine = await Governed.open(app);
    const { keyId, bindingId } = await mine.bind();
    const attachment = dataOf(await mine.attach(await mine.policy(), bindingId).expect(200));
    const details = dataOf(await mine.owner.get(mine.path).expect(200));
    expect(details).toMatchObject({ status: 'registered', active_attachments: 1, open_incidents: 0 });
    const refused = await mine.owner.delete(mine.path);
    expect(errorOf(refused).slice(0, 2)).toEqual([409, 'VECTOR_DB_HAS_ACTIVE_ATTACHMENTS']);
    expect(rowsOf(await mine.owner.get(`${mine.path}/attachments?status=active`).expect(200))).toHaveLength(1);
    await mine.owner.delete(`${mine.path}?force=1`).expect(204);
    expect(errorOf(await mine.owner.get(mine.path))).toEqual(NOT_FOUND);
    expect(rowsOf(await mine.owner.get('/v1/vector-dbs').expect(200))).toEqual([]);
    const kept = await app.rows(`SELECT detached_reason FROM vector_db_attachments WHERE id = $1`, [attachment['id']]);
    expect(kept).toEqual([{ detached_reason: 'Vector DB deleted' }]);
    expect(await audited(mine.owner.tenantId, 'vector_db.deleted')).toHaveLength(1);
    expect(await audited(mine.owner.tenantId, 'vector_db.attachment.detached')).toMatchObject([
      { attachment_id: attachment['id'], key_id: keyId, reason: 'Vector DB deleted' },
    ]);
  });

  it('take an address only where somebody else creates the instances', async () => {
    const url = 'http://vectors.internal:8000';
    expect(errorOf(await admin.post('/v1/vector-dbs', { name: 'x', url })).slice(0, 2)).toEqual([
      422,
      'VALIDATION_ERROR',
    ]);
    const external = await TestApp.start({ VECTOR_DB_PROVISIONER: 'external' }, {}, false);
    try {
      const owner = await external.actor('editor');
      const created = await owner.post('/v1/vector-dbs', { name: 'x', url }).expect(200);
      expect(dataOf(created)).toMatchObject({ url, status: 'ready' });
    } finally {
      await external.close();
    }
  });
});

describe('residency policies', () => {
  it('18 case 3: are one a region: sent again, the same one is changed', async () => {
    const mine = await Governed.open(app);
    const path = `${mine.path}/residency-policies`;
    const body = { region: 'us-east', data_classification: 'restricted', enforcement_mode: 'block', active: false };
    const before = dataOf(await mine.owner.post(path, body).expect(200));
    const after = dataOf(await mine.owner.post(path, { ...body, active: true }).expect(200));
    expect(after).toEqual({ ...before, active: true, updated_at: expect.any(String) });
    expect(new Date(String(after['updated_at'])) > new Date(String(before['updated_at']))).toBe(true);
    expect(rowsOf(await mine.owner.get(path).expect(200))).toEqual([after]);
    expect(await audited(mine.owner.tenantId, 'vector_db.residency_policy.upserted')).toMatchObject([
      { previous: null, active: false },
      {
        previous: { data_classification: 'restricted', enforcement_mode: 'block', active: false },
        data_classification: 'restricted',
        active: true,
      },
    ]);
  });

  it('that are the first at once are one, and the later one knows of the other', async () => {
    const mine = await Governed.open(app);
    const ids = await Promise.all([1, 2, 3, 4].map(() => mine.policy()));
    expect(new Set(ids).size).toBe(1);
    const upserts = await audited(mine.owner.tenantId, 'vector_db.residency_policy.upserted');
    const known = { data_classification: 'general', enforcement_mode: 'monitor', active: true };
    expect(upserts.map(({ previous }) => previous)).toEqual([null, known, known, known]);
  });

  it('take a number once, not with every change', async () => {
    const mine = await Governed.open(app);
    const first = await mine.policy();
    for (const active of [false, true]) expect(await mine.policy({ active })).toBe(first);
    expect(await mine.policy({ region: 'us' })).toBe(first + 1);
  });

  it('18 case 4: keep what is left out, and have defaults when they are new', async () => {
    const mine = await Governed.open(app);
    await mine.policy({ region: 'us-east', data_classification: 'restricted', enforcement_mode: 'block' });
    await mine.policy({ region: 'us-east' });
    await mine.policy({ region: 'eu' });
    const policies = rowsOf(await mine.owner.get(`${mine.path}/residency-policies`).expect(200));
    expect(policies).toMatchObject([
      { region: 'eu', data_classification: 'general', enforcement_mode: 'monitor', active: true },
      { region: 'us-east', data_classification: 'restricted', enforcement_mode: 'block', active: true },
    ]);
  });

  it('18 case 5: are told apart by the case of their regions', async () => {
    const mine = await Governed.open(app);
    await mine.policy({ region: 'us-east' });
    await mine.policy({ region: 'US-EAST' });
    const policies = rowsOf(await mine.owner.get(`${mine.path}/residency-policies`).expect(200));
    expect(policies.map(({ region }) => region)).toEqual(['US-EAST', 'us-east']);
  });
});

describe('attachments', () => {
  it('18 case 6: an inactive policy is found before a binding of another scope', async () => {
    const mine = await Governed.open(app);
    const policy = await mine.policy({ active: false });
    expect(errorOf(await mine.attach(policy, (await mine.bind('workspace')).bindingId))).toEqual(INACTIVE);
  });

  it('18 case 7: a binding of another scope is refused', async () => {
    const mine = await Governed.open(app);
    expect(errorOf(await mine.attach(await mine.policy(), (await mine.bind('workspace')).bindingId))).toEqual(
      WRONG_SCOPE,
    );
  });

  it('18 case 8: policies and bindings of others, and revoked bindings, do not exist', async () => {
    const [mine, other, foreign] = [
      await Governed.open(app, undefined, admin),
      await Governed.open(app, undefined, admin),
      await Governed.open(app),
    ];
    const { bindingId } = await mine.bind();
    const missing = [404, 'RESIDENCY_POLICY_NOT_FOUND', 'Residency policy not found'];
    expect(errorOf(await mine.attach(await other.policy(), bindingId))).toEqual(missing);
    expect(errorOf(await mine.attach(await foreign.policy(), bindingId))).toEqual(missing);
    const policy = await mine.policy();
    const compromised = await mine.bind();
    await mine.revoke(compromised, true).expect(200);
    for (const id of [compromised.bindingId, (await foreign.bind()).bindingId, randomUUID()]) {
      expect(errorOf(await mine.attach(policy, id))).toEqual(NO_BINDING);
    }
    const rejected = await audited(admin.tenantId, 'vector_db.attachment.rejected');
    expect(rejected.map(({ check }) => check)).toEqual(['policy', 'policy', 'binding', 'binding', 'binding']);
  });

  it('18 case 9: have the key and its deadline as they are now', async () => {
    const mine = await Governed.open(app);
    const rotation_due_at = '2031-01-31T09:00:00.000Z';
    const { keyId, bindingId } = await mine.bind('vector_db', { rotation_due_at });
    const workload = { attachment_type: 'assistant', attachment_ref: randomUUID(), metadata: { team: 'search' } };
    const policy = await mine.policy();
    const created = dataOf(await mine.attach(policy, bindingId, workload).expect(200));
    expect(created).toEqual({
      ...workload,
      id: expect.any(String),
      vector_db_id: mine.id,
      residency_policy_id: policy,
      provider_key_binding_id: bindingId,
      provider_key_id: keyId,
      provider_key_rotation_due_at: rotation_due_at,
      attached_at: expect.any(String),
      detached_at: null,
      detached_reason: null,
      posture: { state: 'active', vetoed: false, notes: [] },
    });
    const list = async (): Promise<unknown[]> => rowsOf(await mine.owner.get(`${mine.path}/attachments`).expect(200));
    expect(await list()).toEqual([created]);
    const later = '2032-01-31T09:00:00.000Z';
    await app.rows(`UPDATE provider_keys SET rotation_due_at = $2 WHERE id = $1`, [keyId, later]);
    expect(await list()).toEqual([{ ...created, provider_key_rotation_due_at: later }]);
    expect(await audited(mine.owner.tenantId, 'vector_db.attachment.created')).toMatchObject([
      { attachment_id: created['id'], key_id: keyId, policy_id: policy, binding_id: bindingId },
    ]);
  });

  it('18 case 10: need a key that is usable, and are made once for a workload at a time', async () => {
    const mine = await Governed.open(app);
    const policy = await mine.policy();
    const retired = await mine.bind();
    await mine.revoke(retired, false).expect(200);
    expect(errorOf(await mine.attach(policy, retired.bindingId))).toEqual([
      409,
      'PROVIDER_KEY_NOT_USABLE',
      'Provider key is not active',
    ]);
    const { bindingId } = await mine.bind();
    const workload = { attachment_type: 'corpus', attachment_ref: await newCorpus(mine.owner) };
    const attached = dataOf(await mine.attach(policy, bindingId, workload).expect(200));
    const again = await mine.attach(policy, bindingId, workload);
    expect(errorOf(again).slice(0, 2)).toEqual([409, 'ATTACHMENT_ALREADY_EXISTS']);
    await mine.detach(attached['id']).expect(200);
    await mine.attach(policy, bindingId, workload).expect(200);
    const missing = await mine.attach(policy, bindingId, { ...workload, attachment_ref: 'no-such-corpus' });
    expect(errorOf(missing).slice(0, 2)).toEqual([404, 'NOT_FOUND']);
    const rejected = await audited(mine.owner.tenantId, 'vector_db.attachment.rejected');
    expect(rejected.map(({ check }) => check)).toEqual(['key', 'duplicate', 'corpus']);
  });

  it('are the same workload whatever the case of its UUID', async () => {
    const mine = await Governed.open(app);
    const [policy, { bindingId }] = [await mine.policy(), await mine.bind()];
    const attachment_ref = randomUUID();
    await mine.attach(policy, bindingId.toUpperCase(), { attachment_ref }).expect(200);
    const again = await mine.attach(policy, bindingId, { attachment_ref: attachment_ref.toUpperCase() });
    expect(errorOf(again)[1]).toBe('ATTACHMENT_ALREADY_EXISTS');
  });

  it('18 case 11: are detached once, with a reason, and stay listed', async () => {
    const mine = await Governed.open(app);
    const [policy, { bindingId }] = [await mine.policy(), await mine.bind()];
    const reasons = [{ reason: 'Rolled credential' }, {}, { reason: '  ' }, { reason: null }];
    const expected = ['Rolled credential', ...Array<string>(3).fill('Detached by operator')];
    const ids: unknown[] = [];
    for (const [index, body] of reasons.entries()) {
      ids.unshift(dataOf(await mine.attach(policy, bindingId).expect(200))['id']);
      const detached = dataOf(await mine.detach(ids[0], body).expect(200));
      expect(detached).toMatchObject({ detached_reason: expected[index], detached_at: expect.any(String) });
      expect(errorOf(await mine.detach(ids[0], { reason: 'Other' }))).toEqual(DETACHED);
    }
    const listed = rowsOf(await mine.owner.get(`${mine.path}/attachments`).expect(200));
    expect(listed.map(({ id }) => id)).toEqual(ids);
    expect(listed.map(({ detached_reason }) => detached_reason)).toEqual([...expected].reverse());
    expect(rowsOf(await mine.owner.get(`${mine.path}/attachments?status=active`).expect(200))).toEqual([]);
    const missing = [404, 'ATTACHMENT_NOT_FOUND', 'Attachment not found'];
    expect(errorOf(await mine.detach(randomUUID()))).toEqual(missing);
    const elsewhere = await Governed.open(app, undefined, mine.owner);
    expect(errorOf(await elsewhere.detach(ids[0]))).toEqual(missing);
  });

  it('are paged from the newest', async () => {
    const mine = await Governed.open(app);
    const [policy, { bindingId }] = [await mine.policy(), await mine.bind()];
    const ids: unknown[] = [];
    for (let i = 0; i < 3; i += 1) ids.unshift(dataOf(await mine.attach(policy, bindingId).expect(200))['id']);
    const first = await mine.owner.get(`${mine.path}/attachments?limit=2`).expect(200);
    const { next_cursor } = (first.body as { meta: { page: { next_cursor: string } } }).meta.page;
    const second = await mine.owner.get(`${mine.path}/attachments?limit=2&cursor=${next_cursor}`).expect(200);
    expect([...rowsOf(first), ...rowsOf(second)].map(({ id }) => id)).toEqual(ids);
  });

  it('note a binding that was made for something else, and refuse it where that is configured', async () => {
    const strict = await TestApp.start({ BYOK_BINDING_TARGET_STRICT: 'true' }, {}, false);
    try {
      const mine = await Governed.open(app);
      const other = await Governed.open(app, undefined, mine.owner);
      const noted = await mine.attach(await mine.policy(), (await other.bind()).bindingId).expect(200);
      expect(dataOf(noted)).toMatchObject({ posture: { vetoed: false, notes: ['binding-target-mismatch'] } });
      const strictly = await Governed.open(strict);
      const elsewhere = await Governed.open(strict, undefined, strictly.owner);
      const policy = await strictly.policy();
      expect(errorOf(await strictly.attach(policy, (await elsewhere.bind()).bindingId))).toEqual(WRONG_SCOPE);
      await strictly.attach(policy, (await strictly.bind()).bindingId).expect(200);
      const forAll = await elsewhere.bind('vector_db', {}, { vector_db: '*' });
      await strictly.attach(policy, forAll.bindingId).expect(200);
    } finally {
      await strict.close();
    }
  });
});

describe('incidents', () => {
  it('18 case 13: refer to attachments of their own vector database only, or to none', async () => {
    const mine = await Governed.open(app);
    const other = await Governed.open(app, undefined, mine.owner);
    const foreign = dataOf(await other.attach(await other.policy(), (await other.bind()).bindingId).expect(200));
    const log = (body: object): supertest.Test =>
      mine.owner.post(`${mine.path}/incidents`, { incident_type: 'residency_breach', ...body });
    for (const attachment_id of [randomUUID(), foreign['id']]) {
      expect(errorOf(await log({ attachment_id }))).toEqual([
        404,
        'ATTACHMENT_NOT_FOUND',
        'Attachment not found for vector db',
      ]);
    }
    expect(dataOf(await log({}).expect(200))).toMatchObject({
      severity: 'medium',
      notes: {},
      summary: null,
      attachment_id: null,
      automatic: false,
      resolved_at: null,
    });
    const own = dataOf(await mine.attach(await mine.policy(), (await mine.bind()).bindingId).expect(200));
    await mine.detach(own['id']).expect(200);
    await log({ attachment_id: own['id'] }).expect(200);
  });

  it('18 case 14: are resolved once; what they said before stays in their history', async () => {
    const mine = await Governed.open(app);
    const path = `${mine.path}/incidents`;
    const report = {
      incident_type: 'residency_breach',
      severity: 'high',
      summary: 'Replica seen',
      notes: { in: 'us' },
    };
    const opened = dataOf(await mine.owner.post(path, report).expect(200));
    const resolution = { resolution_summary: 'Replica deleted', resolution_notes: { validated_by: 'compliance' } };
    const resolved = dataOf(await mine.owner.patch(`${path}/${String(opened['id'])}`, resolution).expect(200));
    const before = { summary: 'Replica seen', notes: { in: 'us' }, occurred_at: expect.any(String) };
    const actor_id = mine.owner.userId;
    expect(resolved).toMatchObject({
      summary: 'Replica deleted',
      notes: { validated_by: 'compliance' },
      resolved_at: expect.any(String),
      resolved_by: actor_id,
      history: [
        { event: 'opened', actor_id, ...before },
        { event: 'resolved', actor_id, ...before },
      ],
    });
    expect(errorOf(await mine.owner.patch(`${path}/${String(opened['id'])}`, {}))).toEqual([
      409,
      'INCIDENT_ALREADY_RESOLVED',
      'Incident already resolved',
    ]);
    const other = dataOf(await mine.owner.post(path, report).expect(200));
    const bare = dataOf(await mine.owner.patch(`${path}/${String(other['id'])}`, {}).expect(200));
    expect(bare).toMatchObject({ summary: 'Replica seen', notes: { in: 'us' }, resolved_at: expect.any(String) });
    expect(rowsOf(await mine.owner.get(path).expect(200))).toEqual([bare, resolved]);
    expect(rowsOf(await mine.owner.get(`${path}?status=open`).expect(200))).toEqual([]);
    expect(errorOf(await mine.owner.patch(`${path}/${randomUUID()}`, {}))).toEqual([
      404,
      'INCIDENT_NOT_FOUND',
      'Incident not found',
    ]);
    expect(await audited(mine.owner.tenantId, 'vector_db.incident.resolved')).toHaveLength(2);
  });
});

describe('requests of the wrong shape', () => {
  const cases: [path: string, body: object][] = [
    ['', { name: '' }],
    ['', { name: 'x'.repeat(129) }],
    ['', { name: 'x', db_type: 'mongo' }],
    ['', { name: 'x', region: 'eu west' }],
    ['', { name: 'x', region: ' ' }],
    ['', { name: 'x', colour: 'red' }],
    ['/residency-policies', {}],
    ['/residency-policies', { region: 'e u' }],
    ['/residency-policies', { region: 'x'.repeat(65) }],
    ['/residency-policies', { region: 'eu', enforcement_mode: 'enforce' }],
    ['/residency-policies', { region: 'eu', data_classification: 'secret' }],
    ['/residency-policies', { region: 'eu', active: 'yes' }],
    ['/attachments', { attachment_type: 'workspace' }],
    ['/attachments', { attachment_ref: 'not-a-uuid' }],
    ['/attachments', { attachment_type: 'corpus', attachment_ref: '' }],
    ['/attachments', { residency_policy_id: '1' }],
    ['/attachments', { residency_policy_id: 2 ** 31 }],
    ['/attachments', { provider_key_binding_id: 'x' }],
    ['/attachments', { metadata: ['x'] }],
    ['/attachments', { metadata: { x: 'y'.repeat(16 * 1024) } }],
    ['/incidents', { incident_type: '  ' }],
    ['/incidents', { incident_type: 'x'.repeat(65) }],
    ['/incidents', { incident_type: 'x', severity: 'dire' }],
    ['/incidents', { incident_type: 'x', attachment_id: 'x' }],
    ['/incidents', { incident_type: 'x', notes: { x: 'y'.repeat(64 * 1024) } }],
  ];
  const attachment = {
    attachment_type: 'semantic',
    attachment_ref: randomUUID(),
    residency_policy_id: 1,
    provider_key_binding_id: randomUUID(),
  };

  const named = cases.map(([path, body]) => [path, JSON.stringify(body).slice(0, 50), body] as const);

  it.each(named)('422 for %s %s, before anything is looked for', async (path, _name, body) => {
    const base = path === '/attachments' ? attachment : {};
    const at = path === '' ? '/v1/vector-dbs' : `/v1/vector-dbs/999999${path}`;
    const response = await admin.post(at, { ...base, ...body });
    expect(errorOf(response).slice(0, 2)).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
  });

  it('422 for ids that cannot be one', async () => {
    for (const id of ['x', '1.5', '1e3', '0x1', '%20', '007']) {
      expect([id, (await admin.get(`/v1/vector-dbs/${id}`)).status]).toEqual([id, 422]);
    }
    for (const id of ['0', '-1', '99999999999']) {
      expect([id, ...errorOf(await admin.get(`/v1/vector-dbs/${id}`))]).toEqual([id, ...NOT_FOUND]);
    }
    const mine = await Governed.open(app);
    for (const list of ['attachments', 'incidents']) {
      expect((await mine.owner.patch(`${mine.path}/${list}/x`, {})).status).toBe(422);
      expect(errorOf(await mine.owner.get(`${mine.path}/${list}?cursor=x`))[1]).toBe('INVALID_CURSOR');
      expect((await mine.owner.get(`${mine.path}/${list}?status=maybe`)).status).toBe(422);
    }
    expect((await mine.detach(randomUUID(), { reason: 'x'.repeat(1001) })).status).toBe(422);
  });

  it('415 and 422 for what is no JSON', async () => {
    const send = (type: string): supertest.Test =>
      supertest(app.url)
        .post('/api/vector-dbs')
        .set('Authorization', `Bearer ${admin.token}`)
        .set('Content-Type', type)
        .send('{');
    expect((await send('text/plain')).status).toBe(415);
    expect((await send('application/json')).status).toBe(422);
  });
});

describe('under /api', () => {
  it('bodies are bare, arrays stay arrays, errors are those of v1', async () => {
    const mine = await Governed.open(app);
    const path = mine.path.replace('/v1', '/api');
    const policy = await mine.owner.post(`${path}/residency-policies`, { region: 'eu' }).expect(200);
    expect(policy.body).toMatchObject({ vector_db_id: mine.id, region: 'eu' });
    const list = await mine.owner.get(`${path}/residency-policies`).expect(200);
    expect([list.body, list.get('Deprecation')]).toEqual([[policy.body], undefined]);
    expect(errorOf(await admin.get(`${path}/attachments`))).toEqual(NOT_FOUND);
    const [one, two] = [{ incident_type: 'a' }, { incident_type: 'b' }];
    await mine.owner.post(`${path}/incidents`, one).expect(200);
    await mine.owner.post(`${path}/incidents`, two).expect(200);
    const page = await mine.owner.get(`${path}/incidents?limit=1`).expect(200);
    const next = /<([^>]+)>; rel="next"/.exec(page.get('Link') ?? '')?.[1] ?? '';
    const rest = await mine.owner.get(next).expect(200);
    expect([page.body, rest.body]).toMatchObject([[two], [one]]);
    await mine.owner.delete(path).expect(204);
  });

  it('a repeated creation is made once', async () => {
    const owner = await app.actor('editor');
    const create = (): supertest.Test => owner.post('/api/vector-dbs', { name: 'once' }).set('Idempotency-Key', 'k');
    const first = await create().expect(200);
    const second = await create().expect(200);
    expect([second.body, second.get('Idempotency-Replayed')]).toEqual([first.body, 'true']);
    expect(rowsOf(await owner.get('/v1/vector-dbs').expect(200))).toHaveLength(1);
    const other = await owner.post('/api/vector-dbs', { name: 'other' }).set('Idempotency-Key', 'k');
    expect(errorOf(other).slice(0, 2)).toEqual([409, 'IDEMPOTENCY_KEY_CONFLICT']);
  });
});

describe('who may', () => {
  it('readers read and change nothing; a plan without the feature has none of it', async () => {
    const reader = await app.actor('reader', admin.tenantId);
    expect(rowsOf(await reader.get('/v1/vector-dbs').expect(200))).toEqual([]);
    expect((await reader.post('/v1/vector-dbs', { name: 'x' })).status).toBe(403);
    const without = await app.actor('admin');
    const override = { feature_key: 'feature.vector_db_governance', enabled: false };
    await without.patch(`/v1/admin/plans/${without.tenantId}/overrides`, override).expect(200);
    expect(errorOf(await without.get('/v1/vector-dbs')).slice(0, 2)).toEqual([403, 'FEATURE_NOT_ENABLED']);
  });

  it('everything that changes something is a mutation, as the write gate has to know', () => {
    const own = app.app.manifest.routes.filter(({ path }) => path.startsWith('/v1/vector-dbs'));
    expect(own.length).toBe(12);
    for (const { method, operation } of own) {
      expect([operation.id, operation.rateClass]).toEqual([operation.id, method === 'GET' ? 'read' : 'mutation']);
    }
  });

  // There is no retention of attachments and incidents: what will come has to ask for holds.
  it('18 case 23: no request can delete evidence, or change its history, and no retention does', async () => {
    const mine = await Governed.open(app);
    await mine.owner.post(`${mine.path}/incidents`, { incident_type: 'x' }).expect(200);
    const { uow } = app.infrastructure;
    const attempts = [
      'DELETE FROM vector_dbs',
      'DELETE FROM vector_db_residency_policies',
      'DELETE FROM vector_db_attachments',
      'DELETE FROM vector_db_incident_logs',
      'DELETE FROM vector_db_incident_events',
      'DELETE FROM provider_key_rotations',
      'DELETE FROM provider_key_bindings',
      `UPDATE vector_db_incident_events SET summary = 'x'`,
    ];
    for (const sql of attempts) {
      await expect(app.as(mine.owner.tenantId, () => uow.run(() => uow.execute(sql)))).rejects.toThrow(
        /permission denied/,
      );
    }
  });
});

describe('a console', () => {
  it('gets everything about a vector database at once', async () => {
    const mine = await Governed.open(app, 'eu');
    const [policy, bound] = [await mine.policy(), await mine.bind()];
    const kept = dataOf(await mine.attach(policy, bound.bindingId).expect(200));
    const gone = dataOf(await mine.attach(policy, bound.bindingId).expect(200));
    await mine.detach(gone['id']).expect(200);
    for (const severity of ['high', 'high', 'low']) {
      await mine.owner.post(`${mine.path}/incidents`, { incident_type: 'x', severity }).expect(200);
    }
    const overview = dataOf(await mine.owner.get(`/v1/ui/vector-dbs/${mine.id}/governance?limit=2`).expect(200));
    expect(overview).toMatchObject({
      vector_db: { id: mine.id, region: 'eu' },
      policies: [{ id: policy }],
      attachments: { items: [{ id: gone['id'] }, { id: kept['id'] }], page: { next_cursor: null, has_more: false } },
      incidents: { items: [{ severity: 'low' }, { severity: 'high' }], page: { has_more: true } },
      posture: { healthy: 1, vetoed: 0, notes: {} },
      facets: {
        attachments: { active: 1, detached: 1 },
        incidents: { open: 3, resolved: 0 },
        severities: { high: 2, low: 1 },
      },
    });
  });
});
