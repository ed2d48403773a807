import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { AdministerKeys } from '../../../src/features/auth/application/administer-keys.js';
import { runInContext } from '../../../src/kernel/context.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { ShiftedClock } from './shifted-clock.js';

type Json = Record<string, unknown>;

const MAX = 3;
const KEYS = '/v1/self-serve/api-keys';

const clock = new ShiftedClock();
let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await TestApp.start({ SELF_SERVE_MAX_ACTIVE_KEYS: String(MAX) }, { clock });
});
beforeEach(async () => {
  admin = await app.actor('admin');
});
afterAll(() => app.close());

const create = (body: object = { role: 'reader' }) => admin.post(KEYS, body);
const withToken = (token: string) => app.anonymous().get('/v1/corpora').set('Authorization', `Bearer ${token}`);
const alter = (keyId: string, change: string) =>
  app.rows(`UPDATE api_keys SET ${change} WHERE id = $1 RETURNING id`, [keyId]);

async function created(body?: object): Promise<{ key_id: string; api_key: string } & Json> {
  return (await create(body).expect(200)).body.data as { key_id: string; api_key: string } & Json;
}

/** The self-serve events of a tenant, as [event, outcome, code, metadata]. */
async function trail(tenantId: string): Promise<unknown[]> {
  const events = (await app.audit(tenantId)).filter(({ event_type }) => /^selfserve/.test(String(event_type)));
  return events.map(({ event_type, outcome, error_code, metadata_json }) => [
    event_type,
    outcome,
    error_code,
    metadata_json,
  ]);
}

describe('creating a key', () => {
  it('04 §6 case 1: shows it once, and it works at once', async () => {
    const response = await create({ name: ' ci-bot ', role: 'editor' }).expect(200);
    const { api_key, ...item } = response.body.data;
    expect(response.get('Cache-Control')).toBe('no-store');
    expect(api_key).toMatch(/^nrgk_/);
    expect(item).toMatchObject({
      key_id: api_key.split('_')[1],
      key_prefix: api_key.slice(0, 12),
      name: 'ci-bot',
      role: 'editor',
      last_used_at: null,
      expires_at: null,
      revoked_at: null,
      is_active: true,
    });
    await withToken(api_key).expect(200);
    const list = await admin.get(KEYS).expect(200);
    expect(list.body.data.items.map(({ key_id }: Json) => key_id)).toEqual([item.key_id, admin.keyId]);
    expect(list.text).not.toContain(api_key.slice(38));
    expect(JSON.stringify([await app.audit(admin.tenantId), app.logs])).not.toContain(api_key.slice(38));
    expect(await trail(admin.tenantId)).toEqual([
      ['selfserve.api_key.created', 'success', null, { key_id: item.key_id, name: 'ci-bot', role: 'editor' }],
      ['selfserve.api_key.listed', 'success', null, { count: 2 }],
    ]);
  });

  it('gives every key a user of its own, made by its creator', async () => {
    const [one, two] = [await created(), await created()];
    const rows = await app.rows(
      `SELECT k.created_by, u.role, u.id FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.id IN ($1, $2)`,
      [one.key_id, two.key_id],
    );
    expect(rows).toEqual([1, 2].map(() => ({ created_by: admin.keyId, role: 'reader', id: expect.any(String) })));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(2);
  });

  it('04 §6 case 7: 422 for a role, a lifetime or a name out of range', async () => {
    const wrong = [
      { role: 'owner' },
      {},
      { role: 'reader', expires_in_days: 0 },
      { role: 'reader', expires_in_days: 3651 },
      { role: 'reader', expires_in_days: 1.5 },
      { role: 'reader', name: 'x'.repeat(129) },
      { role: 'reader', name: ' ' },
    ];
    for (const body of wrong) await create(body).expect(422);
    const { expires_at } = await created({ role: 'reader', expires_in_days: 3650, name: 'x'.repeat(128) });
    expect(Math.round((Date.parse(expires_at as string) - clock.now().getTime()) / 86_400_000)).toBe(3650);
  });

  it('04 §6 case 15: refuses a tenant in the body', async () => {
    const { body } = await create({ role: 'reader', tenant_id: 't2' }).expect(400);
    expect(body.error.code).toBe('TENANT_ID_NOT_ALLOWED');
    await create({ role: 'reader', colour: 'red' }).expect(422);
  });

  // Today only admins reach it; the rule must hold by itself when somebody lesser may.
  it('403 for a role above that of the creator', async () => {
    const principal = {
      subjectId: 'u',
      tenantId: admin.tenantId,
      role: 'editor',
      apiKeyId: 'k',
      authMethod: 'api_key',
      subjectType: 'user',
    } as const;
    const keys = app.app.nest.get(AdministerKeys, { strict: false });
    const as = (role: 'reader' | 'editor' | 'admin') =>
      runInContext({ requestId: 'r', trail: [], tenantId: admin.tenantId, principal }, () => keys.create({ role }));
    await expect(as('admin')).rejects.toMatchObject({ code: 'AUTH_FORBIDDEN' });
    expect((await as('editor')).key.role).toBe('editor');
  });
});

describe('the limit of active keys', () => {
  it('04 §6 case 5: 409 KEY_LIMIT_REACHED until one is revoked; expired keys do not count', async () => {
    const [one, two] = [await created(), await created()];
    const { body } = await create({ name: 'more', role: 'editor' }).expect(409);
    expect(body.error).toMatchObject({ code: 'KEY_LIMIT_REACHED', details: { max_active: MAX } });
    expect((await trail(admin.tenantId)).at(-1)).toEqual([
      'selfserve.api_key.created',
      'failure',
      'KEY_LIMIT_REACHED',
      { reason: 'limit_reached', max_active: MAX, name: 'more', role: 'editor' },
    ]);
    await admin.post(`${KEYS}/${one.key_id}/revoke`).expect(200);
    await created();
    await create().expect(409);
    await alter(two.key_id, `expires_at = now() - interval '1 day'`);
    await created();
    await create().expect(409);
  });

  it('04 §6 case 6: lets exactly one of ten at once have the last place', async () => {
    await created();
    const statuses = (await Promise.all(Array.from({ length: 10 }, () => create()))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    const [row] = await app.rows(`SELECT count(*)::int AS n FROM api_keys WHERE tenant_id = $1`, [admin.tenantId]);
    expect(row).toEqual({ n: MAX });
  });

  it('holds for what comes back as well: reactivation, a later expiry, an overlapping rotation', async () => {
    const [disabled, expired] = [await created(), await created()];
    const path = (key: { key_id: string }) => `/v1/admin/api-keys/${key.key_id}`;
    await admin.patch(path(disabled), { active: false }).expect(200);
    const busy = await created();
    await alter(expired.key_id, `expires_at = now() - interval '1 day'`);
    const other = await created();
    const codes = [
      await admin.patch(path(disabled), { active: true }),
      await admin.patch(path(expired), { expires_at: null }),
      await admin.post(`${path(busy)}/rotate`, { overlap_hours: 1 }),
      await admin.post(`${path(disabled)}/rotate`, {}),
    ].map(({ status, body }) => [status, body.error.code]);
    expect(codes).toEqual([1, 2, 3, 4].map(() => [409, 'KEY_LIMIT_REACHED']));
    await admin.post(`${path(busy)}/rotate`, {}).expect(200);
    await admin.post(`${KEYS}/${other.key_id}/revoke`).expect(200);
    await admin.patch(path(disabled), { active: true }).expect(200);
  });
});

describe('revoking a key', () => {
  it('04 §6 case 2: revokes it for good; a second time changes nothing', async () => {
    const key = await created();
    const first = await admin.post(`${KEYS}/${key.key_id}/revoke`).expect(200);
    expect(first.body.data).toMatchObject({ key_id: key.key_id, is_active: false, status: 'revoked' });
    expect((await withToken(key.api_key).expect(401)).body.error.code).toBe('AUTH_REVOKED_KEY');
    const second = await admin.post(`${KEYS}/${key.key_id}/revoke`).expect(200);
    expect(second.body.data.revoked_at).toBe(first.body.data.revoked_at);
    const revoked = (await trail(admin.tenantId)).filter((event) => (event as string[])[0]?.endsWith('revoked'));
    expect(revoked).toEqual([['selfserve.api_key.revoked', 'success', null, { key_id: key.key_id }]]);
  });

  it("04 §6 case 3: 404 for another tenant's key, which goes on working", async () => {
    const key = await created();
    const stranger = await app.actor('admin');
    expect((await stranger.post(`${KEYS}/${key.key_id}/revoke`).expect(404)).body.error.code).toBe('NOT_FOUND');
    await withToken(key.api_key).expect(200);
  });
});

describe('04 §6 case 4: readers and editors', () => {
  it.each(['reader', 'editor'] as const)('403 for a %s, whatever it asks', async (role) => {
    const actor = await app.actor(role, admin.tenantId);
    await actor.get(KEYS).expect(403);
    await actor.get(`${KEYS}/inactive-report`).expect(403);
    await actor.post(KEYS, { role: 'reader' }).expect(403);
    await actor.post(`${KEYS}/${admin.keyId}/revoke`).expect(403);
    await actor.get('/v1/admin/api-keys').expect(403);
    await actor.patch(`/v1/admin/api-keys/${admin.keyId}`, { name: 'x' }).expect(403);
    await actor.post(`/v1/admin/api-keys/${admin.keyId}/rotate`, {}).expect(403);
  });
});

describe('the reports', () => {
  it('04 §6 case 10: names keys unused for 30 days and expired ones, not revoked ones', async () => {
    const [stale, fresh] = [await created({ role: 'reader', name: 'stale' }), await created()];
    const expired = await app.actor('reader', admin.tenantId);
    const revoked = await app.actor('reader', admin.tenantId);
    await alter(stale.key_id, `last_used_at = now() - interval '120 days'`);
    await alter(expired.keyId, `expires_at = now() - interval '1 day'`);
    await alter(revoked.keyId, `created_at = now() - interval '1 year', status = 'revoked', revoked_at = now()`);
    const { body } = await admin.get(`${KEYS}/inactive-report?inactive_days=30`).expect(200);
    expect(body.data.inactive_days_threshold).toBe(30);
    const found = body.data.items.map(({ key_id, inactive_days, is_expired }: Json) => [
      key_id,
      inactive_days,
      is_expired,
    ]);
    expect(found).toEqual([
      [expired.keyId, 0, true],
      [stale.key_id, 120, false],
    ]);
    expect(found.flat()).not.toContain(fresh.key_id);
    expect((await trail(admin.tenantId)).at(-1)).toEqual([
      'selfserve.api_key.inactive_reported',
      'success',
      null,
      { inactive_days: 30, count: 2 },
    ]);
    const usual = await admin.get(`${KEYS}/inactive-report`).expect(200);
    expect(usual.body.data.inactive_days_threshold).toBe(90);
    await admin.get(`${KEYS}/inactive-report?inactive_days=0`).expect(422);
  });

  it('go on from page to page', async () => {
    await Promise.all([created(), created()]);
    const seen: unknown[] = [];
    let next: string | undefined = `${KEYS}?limit=2`;
    while (next !== undefined) {
      const page: Response = await admin.get(next).expect(200);
      seen.push(...page.body.data.items.map(({ key_id }: Json) => key_id));
      next = /<(.*)>; rel="next"/.exec(page.get('Link') ?? '')?.[1];
    }
    expect(new Set(seen).size).toBe(3);
  });

  // A dashboard that lists every few seconds must not bury the trail, and nobody may list unseen.
  it('record who lists at most once an hour', async () => {
    const listed = async () => (await trail(admin.tenantId)).length;
    await admin.get(KEYS).expect(200);
    await admin.get(KEYS).expect(200);
    expect(await listed()).toBe(1);
    clock.advance(3600);
    await admin.get(KEYS).expect(200);
    expect(await listed()).toBe(2);
    await (await app.actor('admin', admin.tenantId)).get(KEYS).expect(200);
    expect(await listed()).toBe(3);
  });
});

describe('a change that cannot be recorded', () => {
  // A key that exists without a trace is one that nobody will ever look for.
  it('does not happen', async () => {
    const state = () => app.rows(`SELECT id, name FROM api_keys WHERE tenant_id = $1`, [admin.tenantId]);
    const before = await state();
    const asOwner = (sql: string) =>
      app.dataSource.transaction((manager) => manager.query<unknown>(`SET LOCAL ROLE none; ${sql}`));
    await asOwner(
      `CREATE FUNCTION refuse_event() RETURNS trigger AS $$ BEGIN RAISE 'refused'; END $$ LANGUAGE plpgsql;
       CREATE TRIGGER refuse_event BEFORE INSERT ON audit_events FOR EACH ROW
         WHEN (NEW.event_type ~ 'api_key.(created|updated)') EXECUTE FUNCTION refuse_event()`,
    );
    await create().expect(500);
    await admin.patch(`/v1/admin/api-keys/${admin.keyId}`, { name: 'unseen' }).expect(500);
    await asOwner(`DROP TRIGGER refuse_event ON audit_events; DROP FUNCTION refuse_event`);
    expect(await state()).toEqual(before);
  });
});
