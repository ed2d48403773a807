import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GrantPruning } from '../../../src/features/rbac-abac/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import {
  AUTHZ,
  createPolicy,
  dataOf,
  Directory,
  eventsOf,
  expectRefused,
  explained,
  grant,
  itemsOf,
  newDocument,
  permissionsOf,
  type Json,
} from './authz.js';

let app: TestApp;
let admin: Actor;
let directory: Directory;

beforeAll(async () => {
  app = await TestApp.start({}, {}, false);
  admin = await app.actor('admin');
  directory = new Directory(app);
});
afterAll(() => app.close());

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
const list = async (document: string, by = admin) => itemsOf(await by.get(permissionsOf(document)).expect(200));
const bulk = (document: string, permissions: unknown, by = admin) =>
  by.post(`${permissionsOf(document)}/bulk`, { permissions });
const user = (principal_id: string, more: Json = {}): Json => ({
  principal_type: 'user',
  principal_id,
  permission: 'read',
  ...more,
});

describe('a permission', () => {
  it('06 case 2: is granted as the documentation prints it, listed, audited, and gives what it says', async () => {
    const document = await newDocument(app, admin);
    const reader = await app.actor('reader', admin.tenantId);
    expect(await explained(admin, document, reader.userId)).toMatchObject({
      allowed: false,
      reason: 'document_acl_denied',
      permissions: [],
    });
    const response = await admin
      .post(permissionsOf(document), { principal_type: 'user', principal_id: reader.userId, permission: 'read' })
      .expect(201);
    const permission = dataOf(response);
    expect(permission).toEqual({
      id: expect.any(String),
      tenant_id: admin.tenantId,
      document_id: document,
      principal_type: 'user',
      principal_id: reader.userId,
      permission: 'read',
      granted_by: admin.keyId,
      expires_at: null,
      created_at: expect.any(String),
    });
    expect(await list(document)).toEqual([permission]);
    const [event] = (await eventsOf(app, admin, 'authz.permission.granted')).slice(-1);
    expect(event).toMatchObject({
      resource_type: 'document_permission',
      resource_id: permission['id'],
      metadata_json: { document_id: document, principal_type: 'user', principal_id: reader.userId, permission: 'read' },
    });
    expect(await explained(admin, document, reader.userId)).toMatchObject({
      allowed: true,
      reason: 'policy_allow',
      permissions: [{ ...permission, counts: true }],
    });
  });

  it('06 case 4: counts for nothing once it has expired, and is listed all the same', async () => {
    const document = await newDocument(app, admin);
    const { userId } = await app.actor('reader', admin.tenantId);
    await grant(admin, document, userId, { expires_at: inSeconds(-1) }).expect(201);
    expect(await explained(admin, document, userId)).toMatchObject({
      reason: 'document_acl_denied',
      permissions: [{ counts: false }],
    });
    await grant(admin, document, userId, { permission: 'write', expires_at: inSeconds(3600) }).expect(201);
    expect(await explained(admin, document, userId)).toMatchObject({ allowed: true });
    expect(await list(document)).toHaveLength(2);
  });

  it('06 case 24: is renewed by granting it again', async () => {
    const document = await newDocument(app, admin);
    const { userId } = await app.actor('reader', admin.tenantId);
    const expired = dataOf(await grant(admin, document, userId, { expires_at: inSeconds(-60) }).expect(201));
    const expires_at = inSeconds(3600);
    const renewed = dataOf(await grant(admin, document, userId, { expires_at }).expect(201));
    expect(renewed).toEqual({ ...expired, expires_at });
    expect(await explained(admin, document, userId)).toMatchObject({ allowed: true });
    expect(dataOf(await grant(admin, document, userId).expect(201))).toEqual({ ...expired, expires_at: null });
    await grant(admin, document, userId).expect(201);
    expect(await list(document)).toHaveLength(1);
    const events = (await eventsOf(app, admin, 'authz.permission.granted')).filter(
      ({ resource_id }) => resource_id === expired['id'],
    );
    expect(events).toHaveLength(3);
  });

  it('06 case 25: is granted once for one Idempotency-Key', async () => {
    const document = await newDocument(app, admin);
    const send = () => grant(admin, document, 'u').set('Idempotency-Key', 'grant');
    const [first, second] = [await send().expect(201), await send().expect(201)];
    expect([second.text, second.get('Idempotency-Replayed')]).toEqual([first.text, 'true']);
    expect(await list(document)).toHaveLength(1);
  });

  it('06 case 26: is one, however many grant it at once', async () => {
    const document = await newDocument(app, admin);
    const answers = await Promise.all(Array.from({ length: 10 }, () => grant(admin, document, 'u')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map((answer) => dataOf(answer)['id'])).size).toBe(1);
    expect(await list(document)).toHaveLength(1);
  });

  it('06 case 23: is taken back only through its own document', async () => {
    const [document, other] = [await newDocument(app, admin), await newDocument(app, admin)];
    const permission = dataOf(await grant(admin, document, 'u').expect(201));
    const id = String(permission['id']);
    expectRefused(await admin.delete(`${permissionsOf(other)}/${id}`), 404, 'AUTHZ_PERMISSION_NOT_FOUND');
    expectRefused(await admin.delete(`${permissionsOf('nothing')}/${id}`), 404, 'NOT_FOUND');
    expect(await list(document)).toEqual([permission]);
    const removed = await admin.delete(`${permissionsOf(document)}/${id}`).expect(200);
    expect(dataOf(removed)).toEqual(permission);
    expect(await list(document)).toEqual([]);
    expectRefused(await admin.delete(`${permissionsOf(document)}/${id}`), 404, 'AUTHZ_PERMISSION_NOT_FOUND');
    expect(
      (await eventsOf(app, admin, 'authz.permission.revoked')).filter(({ resource_id }) => resource_id === id),
    ).toHaveLength(1);
  });

  it('06 case 16: is out of reach of another tenant', async () => {
    const document = await newDocument(app, admin);
    const permission = dataOf(await grant(admin, document, 'u').expect(201));
    const stranger = await app.actor('admin');
    for (const response of [
      await stranger.get(permissionsOf(document)),
      await grant(stranger, document, stranger.userId),
      await bulk(document, [user('u')], stranger),
      await stranger.delete(`${permissionsOf(document)}/${String(permission['id'])}`),
    ])
      expectRefused(response, 404, 'NOT_FOUND');
    expect(await list(document)).toEqual([permission]);
  });

  it('06 §6: is one of those that there are, for a principal that can be named', async () => {
    const document = await newDocument(app, admin);
    for (const more of [
      { permission: 'admin' },
      { principal_type: 'team' },
      { principal_id: '' },
      { principal_id: 'x'.repeat(129) },
      { expires_at: 'tomorrow' },
      { expires_at: '2026-01-01' },
      { colour: 'red' },
    ]) {
      expectRefused(await grant(admin, document, 'u', more), 422, 'REQUEST_VALIDATION_ERROR');
    }
    expectRefused(await grant(admin, document, 'u', { tenant_id: 'x', colour: 'red' }), 400, 'TENANT_ID_NOT_ALLOWED');
    for (const role of ['owner', 'Reader', 'reader ']) {
      expectRefused(await grant(admin, document, role, { principal_type: 'role' }), 422, 'VALIDATION_ERROR');
    }
    await grant(admin, document, `'; DROP TABLE document_permissions; --`).expect(201);
    expect(await list(document)).toHaveLength(1);
  });
});

describe('permissions in bulk', () => {
  it('06 §6: are all granted, in order, and say which are new', async () => {
    const document = await newDocument(app, admin);
    const before = dataOf(await grant(admin, document, 'b').expect(201));
    const items = itemsOf(
      await bulk(document, [user('c'), user('b'), user('a', { expires_at: inSeconds(60) })]).expect(201),
    );
    expect(items.map(({ principal_id, created }) => [principal_id, created])).toEqual([
      ['c', true],
      ['b', false],
      ['a', true],
    ]);
    expect(items[1]).toEqual({ ...before, created: false });
    expect(await list(document)).toHaveLength(3);
    const granted = (await eventsOf(app, admin, 'authz.permission.granted')).filter(
      ({ metadata_json }) => (metadata_json as Json)['document_id'] === document,
    );
    expect(granted).toHaveLength(3);
  });

  it('06 §6: are all granted or none', async () => {
    const document = await newDocument(app, admin);
    expectRefused(
      await bulk(document, [user('a'), user('nobody', { principal_type: 'role' })]),
      422,
      'VALIDATION_ERROR',
    );
    expectRefused(
      await bulk(document, [user('a'), user('b'), user('a', { expires_at: inSeconds(9) })]),
      422,
      'VALIDATION_ERROR',
    );
    for (const permissions of [
      [],
      Array.from({ length: 201 }, (_, n) => user(`u${n}`)),
      [user('a'), { ...user('b'), colour: 'red' }],
      [null],
      'all',
      { 0: user('a') },
      undefined,
    ]) {
      expectRefused(await bulk(document, permissions), 422, 'REQUEST_VALIDATION_ERROR');
    }
    expectRefused(await bulk('nothing', [user('a')]), 404, 'NOT_FOUND');
    expect(await list(document)).toEqual([]);
    await bulk(
      document,
      Array.from({ length: 200 }, (_, n) => user(`u${n}`)),
    ).expect(201);
  });

  it('06, bad input: ten thousand on one document are listed in pages and decided upon', async () => {
    const document = await newDocument(app, admin);
    const reader = await app.actor('reader', admin.tenantId);
    await app.rows(
      `INSERT INTO document_permissions (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       SELECT $1, 'many-' || n, $2, 'user', 'u-' || n, 'read', 'k' FROM generate_series(1, 10000) n RETURNING id`,
      [admin.tenantId, document],
    );
    expect(await explained(admin, document, reader.userId)).toMatchObject({ allowed: false, permissions: [] });
    expect(await explained(admin, document, reader.userId, { action: 'write' })).toMatchObject({ allowed: false });
    await grant(admin, document, reader.userId).expect(201);
    expect(await explained(admin, document, reader.userId)).toMatchObject({ allowed: true });
    const seen = new Set<unknown>();
    for (let path: string | undefined = permissionsOf(document); path !== undefined;) {
      const page = await admin.get(path).expect(200);
      for (const { id } of itemsOf(page)) seen.add(id);
      const { next_cursor } = page.body.meta.page as { next_cursor: string | null };
      path = next_cursor === null ? undefined : `${permissionsOf(document)}?cursor=${next_cursor}`;
    }
    expect(seen.size).toBe(10_001);
  });
});

describe('a group', () => {
  it('06 §4.2: is named by its name or id and kept by its id, so that a new name changes nothing', async () => {
    const document = await newDocument(app, admin);
    const reader = await app.actor('reader', admin.tenantId);
    const members = [reader.userId];
    directory.groups.splice(0, Infinity, { id: 'g-1', name: 'Treasury', members });
    const granted = dataOf(await grant(admin, document, 'Treasury', { principal_type: 'group' }).expect(201));
    expect(granted).toMatchObject({ principal_type: 'group', principal_id: 'g-1' });
    expect(dataOf(await grant(admin, document, 'g-1', { principal_type: 'group' }).expect(201))).toEqual(granted);
    expectRefused(
      await bulk(document, [user('g-1', { principal_type: 'group' }), user('Treasury', { principal_type: 'group' })]),
      422,
      'VALIDATION_ERROR',
    );
    expect(await explained(admin, document, reader.userId)).toMatchObject({ allowed: true });
    // Renamed; and another one takes its former name.
    directory.groups.splice(
      0,
      Infinity,
      { id: 'g-1', name: 'Finance', members },
      { id: 'g-2', name: 'Treasury', members: ['u'] },
    );
    expect(await explained(admin, document, reader.userId)).toMatchObject({ allowed: true, permissions: [granted] });
    const question = { principal_type: 'group' };
    expect(await explained(admin, document, 'Treasury', question)).toMatchObject({ reason: 'document_acl_denied' });
    expect(await explained(admin, document, 'Finance', question)).toMatchObject({ allowed: true });
  });

  it('06 §4.2: 422 when it is unknown, or several have the name and none the id', async () => {
    const document = await newDocument(app, admin);
    directory.groups.splice(
      0,
      Infinity,
      { id: 'g-1', name: 'Twins', members: [] },
      { id: 'g-2', name: 'Twins', members: [] },
      { id: 'Twins', name: 'Odd', members: [] },
    );
    const named = (name: string) => grant(admin, document, name, { principal_type: 'group' });
    expectRefused(await named('Nobody'), 422, 'VALIDATION_ERROR');
    expect(dataOf(await named('Twins').expect(201))).toMatchObject({ principal_id: 'Twins' });
    directory.groups.pop();
    const ambiguous = await named('Twins');
    expectRefused(ambiguous, 422, 'VALIDATION_ERROR');
    expect(ambiguous.body.error.details).toEqual({ group_ids: ['g-1', 'g-2'] });
  });
});

describe('an explanation', () => {
  it('06 §6: says for each kind of principal which permissions count, and is recorded', async () => {
    const document = await newDocument(app, admin);
    const editor = await app.actor('editor', admin.tenantId);
    await grant(admin, document, 'editor', { principal_type: 'role', permission: 'write' }).expect(201);
    await grant(admin, document, editor.keyId, { principal_type: 'api_key', permission: 'reindex' }).expect(201);
    const allowed = async (principal_type: string, id: string, action: string) =>
      (await explained(admin, document, id, { principal_type, action }))['allowed'];
    expect(await allowed('user', editor.userId, 'write')).toBe(true);
    expect(await allowed('user', editor.userId, 'reindex')).toBe(false);
    expect(await allowed('api_key', editor.keyId, 'reindex')).toBe(true);
    expect(await allowed('role', 'editor', 'write')).toBe(true);
    expect(await allowed('role', 'reader', 'read')).toBe(false);
    const both = await explained(admin, document, editor.keyId, { principal_type: 'api_key', action: 'reindex' });
    expect((both['permissions'] as Json[]).map(({ principal_type, counts }) => [principal_type, counts])).toEqual([
      ['api_key', true],
      ['role', false],
    ]);
    const [event] = (await eventsOf(app, admin, 'authz.access.explained')).slice(-1);
    expect(event).toMatchObject({
      resource_id: document,
      metadata_json: { principal_type: 'api_key', principal_id: editor.keyId, action: 'reindex', allowed: true },
    });
  });

  it('06 §6: evaluates policies as for the principal, not as for who asks', async () => {
    const owner = await app.actor('admin');
    const reader = await app.actor('reader', owner.tenantId);
    const document = await newDocument(app, owner);
    await grant(owner, document, reader.userId).expect(201);
    await grant(owner, document, owner.userId).expect(201);
    const id = await createPolicy(owner, {
      effect: 'deny',
      condition_json: { eq: [{ var: 'principal.role' }, 'reader'] },
    });
    expect(await explained(owner, document, reader.userId)).toMatchObject({
      allowed: false,
      reason: 'policy_deny',
      matched_policy_id: id,
    });
    expect(await explained(owner, document, owner.userId)).toMatchObject({ allowed: true });
  });

  it('06 §6: 404 for whoever and whatever there is not', async () => {
    const document = await newDocument(app, admin);
    const ask = (more: Json) =>
      admin.post(`${AUTHZ}/explain`, {
        principal_type: 'user',
        principal_id: admin.userId,
        document_id: document,
        action: 'read',
        ...more,
      });
    for (const more of [
      { principal_id: 'nobody' },
      { principal_type: 'api_key' },
      { principal_type: 'role' },
      { principal_type: 'group' },
      { document_id: 'nothing' },
    ]) {
      expectRefused(await ask(more), 404, 'NOT_FOUND');
    }
    for (const more of [{ action: 'run' }, { principal_type: 'team' }, { document_id: 5 }]) {
      expectRefused(await ask(more), 422, 'REQUEST_VALIDATION_ERROR');
    }
  });
});

describe('permissions that expired long ago', () => {
  it('06 §4.2: are deleted after 30 days, recorded in each tenant', async () => {
    const [one, other] = [await app.actor('admin'), await app.actor('admin')];
    const documents = new Map<Actor, string>();
    for (const actor of [one, other]) {
      const document = await newDocument(app, actor);
      documents.set(actor, document);
      for (const [name, days] of [
        ['old', -31],
        ['recent', -29],
        ['live', 1],
      ] as const) {
        await grant(actor, document, name, { expires_at: inSeconds(days * 86_400) }).expect(201);
      }
      await grant(actor, document, 'for good').expect(201);
    }
    const left = async (actor: Actor) =>
      (await list(documents.get(actor) ?? '', actor)).map(({ principal_id }) => principal_id);
    const run = await one.post('/v1/admin/maintenance/run?task=prune_permissions').expect(200);
    expect(dataOf(run)).toMatchObject({ deleted_rows: 1 });
    expect(await left(one)).toEqual(['for good', 'live', 'recent']);
    expect(await left(other)).toHaveLength(4);
    await app.app.nest.get(GrantPruning, { strict: false }).sweep();
    expect(await left(other)).toEqual(['for good', 'live', 'recent']);
    for (const actor of [one, other]) {
      expect(await eventsOf(app, actor, 'authz.permission.pruned')).toMatchObject([
        { actor_type: 'system', metadata_json: { deleted_rows: 1 } },
      ]);
    }
  });
});
