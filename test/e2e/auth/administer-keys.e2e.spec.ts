import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiKeys } from '../../../src/features/auth/index.js';
import { TestApp, type Actor } from '../../harness/app.js';

type Json = Record<string, unknown>;

const DAY_MS = 86_400_000;
const inDays = (days: number): string =>
  new Date(app.infrastructure.clock.now().getTime() + days * DAY_MS).toISOString();

let app: TestApp;
let admin: Actor;
let reader: Actor;

beforeAll(async () => {
  app = await TestApp.start({ AUTH_API_KEY_INACTIVE_DAYS: '30' });
});
beforeEach(async () => {
  admin = await app.actor('admin');
  reader = await app.actor('reader', admin.tenantId);
});
afterAll(() => app.close());

const path = ({ keyId }: { keyId: string }) => `/v1/admin/api-keys/${keyId}`;
const alter = ({ keyId }: { keyId: string }, change: string) =>
  app.rows(`UPDATE api_keys SET ${change} WHERE id = $1 RETURNING id`, [keyId]);
const items = (body: unknown) => (body as { data: { items: Json[] } }).data.items;
const ids = (body: unknown) => items(body).map(({ key_id }) => key_id);

/** Key management in the trail of a tenant, as [event, outcome, metadata]. */
async function changes(tenantId: string): Promise<unknown[]> {
  const events = (await app.audit(tenantId)).filter(
    ({ event_type, actor_type }) => /api_key\./.test(String(event_type)) && actor_type === 'api_key',
  );
  return events.map(({ event_type, outcome, metadata_json }) => [event_type, outcome, metadata_json]);
}

/** What a request with the key is answered. */
async function standing({ get }: Actor): Promise<string> {
  const { status, body } = await get('/v1/corpora');
  return status === 200 ? '200' : `${status} ${body.error.code}`;
}

describe('GET /v1/admin/api-keys', () => {
  it('01 §6 case 1: lists the keys of the own tenant, newest first, and of no other', async () => {
    const response = await admin.get(`/v1/admin/api-keys?tenant_id=${admin.tenantId}`).expect(200);
    expect(response.body.data).toMatchObject({ tenant_id: admin.tenantId, inactive_days_threshold: 90 });
    expect(ids(response.body)).toEqual([reader.keyId, admin.keyId]);
    expect(items(response.body)[0]).toEqual({
      key_id: reader.keyId,
      key_prefix: reader.token.slice(0, 12),
      name: 'test reader',
      role: 'reader',
      status: 'active',
      created_at: expect.stringMatching(/Z$/),
      last_used_at: null,
      expires_at: null,
      revoked_at: null,
      is_active: true,
      is_expired: false,
      inactive_days: 0,
    });
    expect(ids((await admin.get('/v1/admin/api-keys').expect(200)).body)).toHaveLength(2);
    const stranger = await app.actor('admin');
    const refused = await stranger.get(`/v1/admin/api-keys?tenant_id=${admin.tenantId}`).expect(403);
    expect(refused.body.error.code).toBe('AUTH_FORBIDDEN');
    expect((await app.audit(stranger.tenantId)).at(-1)).toMatchObject({ event_type: 'rbac.forbidden' });
  });

  it('01 §6 case 6: finds what was last used 200 days ago with inactive_days=30, and what expired', async () => {
    const expired = await app.actor('reader', admin.tenantId);
    await alter(reader, `last_used_at = now() - interval '200 days'`);
    await alter(expired, `expires_at = now() - interval '1 hour'`);
    const query = '/v1/admin/api-keys?include_only_inactive=true&inactive_days=';
    const found = await admin.get(`${query}30`).expect(200);
    expect(
      items(found.body).map(({ key_id, inactive_days, is_expired }) => [key_id, inactive_days, is_expired]),
    ).toEqual([
      [expired.keyId, 0, true],
      [reader.keyId, 200, false],
    ]);
    expect(ids((await admin.get(`${query}201`).expect(200)).body)).toEqual([expired.keyId]);
  });

  it('goes on from page to page', async () => {
    await app.rows(`UPDATE api_keys SET created_at = now() WHERE tenant_id = $1 RETURNING id`, [admin.tenantId]);
    const first = await admin.get('/v1/admin/api-keys?limit=1').expect(200);
    expect(first.body.meta.page.has_more).toBe(true);
    const next = /<(.*)>; rel="next"/.exec(first.get('Link') ?? '')?.[1] ?? '';
    const second = await admin.get(next).expect(200);
    expect(second.body.meta.page).toEqual({ next_cursor: null, has_more: false });
    expect([...ids(first.body), ...ids(second.body)].sort()).toEqual([admin.keyId, reader.keyId].sort());
    expect((await admin.get('/v1/admin/api-keys?cursor=x').expect(400)).body.error.code).toBe('INVALID_CURSOR');
  });

  it('422 outside 1 to 3650 days', async () => {
    for (const days of ['0', '3651', 'x', '1.5'])
      await admin.get(`/v1/admin/api-keys?inactive_days=${days}`).expect(422);
    await admin.get('/v1/admin/api-keys?inactive_days=3650&include_only_inactive=perhaps').expect(422);
  });
});

describe('PATCH /v1/admin/api-keys/{key_id}', () => {
  it('01 §6 case 2: disables a key and opens it again', async () => {
    const disabled = await admin.patch(path(reader), { active: false }).expect(200);
    expect(disabled.body.data).toMatchObject({ is_active: false, status: 'disabled', revoked_at: expect.any(String) });
    expect(await standing(reader)).toBe('401 AUTH_REVOKED_KEY');
    const again = await admin.patch(path(reader), { active: false }).expect(200);
    expect(again.body.data.revoked_at).toBe(disabled.body.data.revoked_at);
    const enabled = await admin.patch(path(reader), { active: true }).expect(200);
    expect(enabled.body.data).toMatchObject({ is_active: true, status: 'active', revoked_at: null });
    expect(await standing(reader)).toBe('200');
  });

  it('01 §5 case 5: starts the time without use of a reactivated key anew', async () => {
    await alter(reader, `last_used_at = now() - interval '120 days'`);
    expect(await standing(reader)).toBe('401 AUTH_INACTIVE_KEY');
    const { body } = await admin.patch(path(reader), { active: true }).expect(200);
    expect(body.data.inactive_days).toBe(0);
    expect(await standing(reader)).toBe('200');
  });

  it('01 §6 case 3: 422 for active and revoke at once, and nothing happens', async () => {
    const { body } = await admin.patch(path(reader), { active: true, revoke: true }).expect(422);
    expect(body.error.code).toBe('VALIDATION_ERROR');
    expect(await standing(reader)).toBe('200');
    expect(await changes(admin.tenantId)).toEqual([]);
  });

  it("01 §6 case 4: 404 for another tenant's key, as for a missing one, and no change", async () => {
    const stranger = await app.actor('admin');
    for (const change of [{ revoke: true }, { active: false }, { name: 'mine' }, { expires_at: null }]) {
      const foreign = await stranger.patch(path(reader), change).expect(404);
      const missing = await stranger.patch(path({ keyId: '0'.repeat(32) }), change).expect(404);
      expect(foreign.body.error).toEqual(missing.body.error);
    }
    expect(items((await admin.get('/v1/admin/api-keys').expect(200)).body)[0]).toMatchObject({
      key_id: reader.keyId,
      name: 'test reader',
      status: 'active',
    });
  });

  it('01 §6 case 7: records one event a call, with what the key is afterwards', async () => {
    const soon = inDays(1);
    await admin.patch(path(reader), { active: false }).expect(200);
    await admin.patch(path(reader), { active: true }).expect(200);
    await admin.patch(path(reader), { name: ' CI ', expires_at: soon }).expect(200);
    await admin.patch(path(reader), { revoke: true, name: 'gone' }).expect(200);
    const target_key_id = reader.keyId;
    expect(await changes(admin.tenantId)).toEqual([
      [
        'auth.api_key.deactivated',
        'success',
        expect.objectContaining({ target_key_id, revoked_at: expect.any(String) }),
      ],
      ['auth.api_key.reactivated', 'success', expect.objectContaining({ target_key_id, revoked_at: null })],
      ['auth.api_key.updated', 'success', expect.objectContaining({ target_key_id, name: 'CI', expires_at: soon })],
      ['auth.api_key.revoked', 'success', expect.objectContaining({ target_key_id, name: 'gone' })],
    ]);
  });

  it('moves the expiry, clears it with null, and leaves it when absent', async () => {
    const later = inDays(9);
    const patch = async (change: object) => (await admin.patch(path(reader), change).expect(200)).body.data.expires_at;
    expect(await patch({ expires_at: later })).toBe(later);
    expect(await patch({ name: 'CI' })).toBe(later);
    expect(await patch({ expires_at: '2999-12-31T23:00+02:00' })).toBe('2999-12-31T21:00:00.000Z');
    expect(await patch({ expires_at: null, active: null, revoke: null, name: null })).toBeNull();
    expect(await patch({ revoke: false })).toBeNull();
  });

  it('422 for an expiry without an offset, in the past, or that is none', async () => {
    const code = async (expires_at: unknown) =>
      (await admin.patch(path(reader), { expires_at }).expect(422)).body.error.code;
    for (const naive of ['2999-01-01T00:00:00', '2999-01-01', '2999-02-30T00:00:00Z', 'soon', '', 5, {}]) {
      expect([naive, await code(naive)]).toEqual([naive, 'REQUEST_VALIDATION_ERROR']);
    }
    expect(await code(inDays(-1))).toBe('VALIDATION_ERROR');
    for (const name of ['', ' ', 'x'.repeat(121)]) await admin.patch(path(reader), { name }).expect(422);
  });

  it('409 for the reactivation of a revoked key; disabling one changes nothing', async () => {
    await admin.patch(path(reader), { revoke: true }).expect(200);
    const { body } = await admin.patch(path(reader), { active: true }).expect(409);
    expect(body.error).toMatchObject({ code: 'CONFLICT', details: { reason: 'revoked' } });
    expect((await admin.patch(path(reader), { active: false }).expect(200)).body.data.status).toBe('revoked');
    expect(await standing(reader)).toBe('401 AUTH_REVOKED_KEY');
    expect((await changes(admin.tenantId))[1]).toEqual([
      'auth.api_key.reactivated',
      'failure',
      { target_key_id: reader.keyId, reason: 'revoked' },
    ]);
  });

  // An admin's change must not undo a revocation that happened while it was under way.
  it('does not undo a revocation that a command makes at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const key = await app.actor('reader', admin.tenantId);
      await Promise.all([
        admin.patch(path(key), { name: 'renamed' }).then(({ status }) => expect(status).toBe(200)),
        app.as(admin.tenantId, () => app.app.nest.get(ApiKeys).revoke(key.keyId)),
      ]);
      expect(await standing(key)).toBe('401 AUTH_REVOKED_KEY');
    }
  });
});

describe('API_KEY_ALLOW_UNREVOKE=true', () => {
  it('lets an admin reactivate a revoked key', async () => {
    const lenient = await TestApp.start({ API_KEY_ALLOW_UNREVOKE: 'true' }, {}, false);
    try {
      const boss = await lenient.actor('admin');
      const key = await lenient.actor('reader', boss.tenantId);
      await boss.patch(path(key), { revoke: true }).expect(200);
      await key.get('/v1/corpora').expect(401);
      const { body } = await boss.patch(path(key), { active: true }).expect(200);
      expect(body.data).toMatchObject({ status: 'active', revoked_at: null });
      await key.get('/v1/corpora').expect(200);
    } finally {
      await lenient.close();
    }
  });
});

describe('the last admin key of a tenant', () => {
  // Nobody of the tenant could make another one: only an operator could let them in again.
  it('409 for whatever would end it', async () => {
    for (const change of [{ revoke: true }, { active: false }, { expires_at: inDays(1) }]) {
      const { body } = await admin.patch(path(admin), change).expect(409);
      expect(body.error).toMatchObject({ code: 'CONFLICT', details: { reason: 'last_admin_key' } });
    }
    await admin.post(`/v1/self-serve/api-keys/${admin.keyId}/revoke`).expect(409);
    await admin.patch(path(admin), { name: 'kept' }).expect(200);
    expect(await changes(admin.tenantId)).toEqual([
      ['auth.api_key.revoked', 'failure', { target_key_id: admin.keyId, reason: 'last_admin_key' }],
      ['auth.api_key.deactivated', 'failure', { target_key_id: admin.keyId, reason: 'last_admin_key' }],
      ['auth.api_key.updated', 'failure', { target_key_id: admin.keyId, reason: 'last_admin_key' }],
      ['selfserve.api_key.revoked', 'failure', { key_id: admin.keyId, reason: 'last_admin_key' }],
      ['auth.api_key.updated', 'success', expect.anything()],
    ]);
  });

  it('may live longer, but not shorter', async () => {
    await alter(admin, `expires_at = now() + interval '5 days'`);
    await admin.patch(path(admin), { expires_at: inDays(6) }).expect(200);
    await admin.patch(path(admin), { expires_at: inDays(4) }).expect(409);
    await admin.patch(path(admin), { expires_at: null }).expect(200);
  });

  it('is the last one when no other lets anybody in', async () => {
    const others = [
      `status = 'disabled', disabled_at = now()`,
      `status = 'revoked', revoked_at = now()`,
      `expires_at = now()`,
      `last_used_at = now() - interval '31 days'`,
    ];
    for (const end of others) await alter(await app.actor('admin', admin.tenantId), end);
    const inactive = await app.actor('admin', admin.tenantId);
    await app.rows(`UPDATE users SET is_active = false WHERE id = $1 RETURNING id`, [inactive.userId]);
    await admin.patch(path(admin), { revoke: true }).expect(409);
    await app.actor('admin', admin.tenantId);
    await admin.patch(path(admin), { revoke: true }).expect(200);
  });

  it('is not lost when two admins revoke each other at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const one = await app.actor('admin');
      const two = await app.actor('admin', one.tenantId);
      const [first, second] = await Promise.all([
        one.patch(path(two), { revoke: true }),
        two.post(`/v1/self-serve/api-keys/${one.keyId}/revoke`),
      ]);
      const admins = await app.rows(`SELECT id FROM api_keys WHERE tenant_id = $1 AND status = 'active'`, [
        one.tenantId,
      ]);
      // Whoever came too late may have been refused at the door already.
      expect([first.status, second.status].filter((status) => status === 200)).toHaveLength(1);
      expect([first.status, second.status].filter((status) => [401, 409].includes(status))).toHaveLength(1);
      expect(admins).toHaveLength(1);
    }
  });

  it('may be revoked by an operator', async () => {
    await app.as(admin.tenantId, () => app.app.nest.get(ApiKeys).revoke(admin.keyId));
    expect(await standing(admin)).toBe('401 AUTH_REVOKED_KEY');
  });
});

describe('POST /v1/admin/api-keys/{key_id}/rotate', () => {
  const authorized = (token: string) => app.anonymous().get('/v1/corpora').set('Authorization', `Bearer ${token}`);

  it('01 §6 case 5: replaces a key at once, also the last admin key by itself', async () => {
    const response = await admin.post(`${path(admin)}/rotate`, {}).expect(200);
    const { api_key, key_id } = response.body.data;
    expect(response.get('Cache-Control')).toBe('no-store');
    expect(response.body.data).toMatchObject({ role: 'admin', name: 'test admin', expires_at: null, is_active: true });
    expect(await standing(admin)).toBe('401 AUTH_REVOKED_KEY');
    await authorized(api_key as string).expect(200);
    expect(await changes(admin.tenantId)).toEqual([
      [
        'auth.api_key.rotated',
        'success',
        {
          rotated_from: admin.keyId,
          new_key_id: key_id,
          old_key_revoked: true,
          old_key_expires_at: null,
          name: 'test admin',
          user_id: admin.userId,
        },
      ],
    ]);
  });

  it('keeps the old key for some hours, but not beyond its own expiry', async () => {
    const { body } = await admin.post(`${path(reader)}/rotate`, { overlap_hours: 24, name: 'next' }).expect(200);
    await authorized(body.data.api_key as string).expect(200);
    expect(await standing(reader)).toBe('200');
    const [old] = await app.rows<{ hours: number }>(
      `SELECT extract(epoch FROM expires_at - now()) / 3600 AS hours FROM api_keys WHERE id = $1`,
      [reader.keyId],
    );
    expect(Number(old?.hours)).toBeCloseTo(24, 1);
    await alter(reader, `expires_at = now()`);
    expect(await standing(reader)).toBe('401 AUTH_EXPIRED_KEY');
    await authorized(body.data.api_key as string).expect(200);
    const short = await app.actor('reader', admin.tenantId);
    await alter(short, `expires_at = now() + interval '1 hour'`);
    await admin.post(`${path(short)}/rotate`, { overlap_hours: 24 }).expect(200);
    const [kept] = await app.rows(
      `SELECT expires_at < now() + interval '2 hours' AS kept FROM api_keys WHERE id = $1`,
      [short.keyId],
    );
    expect(kept).toEqual({ kept: true });
  });

  it('409 for a key that has ended, 404 for a foreign one, 422 for too long an overlap', async () => {
    await admin.post(`${path(reader)}/rotate`, { overlap_hours: 721 }).expect(422);
    await (await app.actor('admin')).post(`${path(reader)}/rotate`, {}).expect(404);
    await alter(reader, `expires_at = now()`);
    expect((await admin.post(`${path(reader)}/rotate`, {}).expect(409)).body.error.details.reason).toBe('expired');
    await alter(reader, `status = 'revoked', revoked_at = now()`);
    expect((await admin.post(`${path(reader)}/rotate`, {}).expect(409)).body.error.details.reason).toBe('revoked');
  });
});
