import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiKeys, type CreateKey } from '../../../src/features/auth/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start({ AUTH_API_KEY_INACTIVE_DAYS: '30' });
});
afterAll(() => app.close());

const keys = () => app.app.nest.get(ApiKeys);
const withAuthorization = (value: string) => app.anonymous().get('/v1/corpora').set('Authorization', value);
const withToken = (token: string) => withAuthorization(`Bearer ${token}`);

/** Changes a key behind the application's back, as time or another process does. */
async function alter({ keyId }: { keyId: string }, change: string): Promise<void> {
  await app.rows(`UPDATE api_keys SET ${change} WHERE id = $1 RETURNING id`, [keyId]);
}

async function alterUser({ userId }: Actor, change: string): Promise<void> {
  await app.rows(`UPDATE users SET ${change} WHERE id = $1 RETURNING id`, [userId]);
}

async function create(request: Partial<CreateKey> = {}, tenantId?: string) {
  const tenant = tenantId ?? (await app.tenant());
  const key = await app.as(tenant, () => keys().create({ role: 'reader', name: 'made', ...request }));
  return { ...key, keyId: key.id, tenantId: tenant };
}

/** The trail of one tenant as [event, code] pairs, key management left out. */
async function accesses(tenantId: string | null): Promise<unknown[]> {
  const events = await app.audit(tenantId);
  const access = events.filter(({ event_type }) => !/created|revoked|rotated/.test(String(event_type)));
  return access.map(({ event_type, error_code }) => [event_type, error_code]);
}

describe('a new key', () => {
  it('opens the door, and the database cannot give it away', async () => {
    const { token, keyId } = await create();
    expect(token).toMatch(/^nrgk_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/);
    expect(token.split('_')[1]).toBe(keyId);
    await withToken(token).expect(200);
    const [row] = await app.rows(`SELECT * FROM api_keys WHERE id = $1`, [keyId]);
    expect(row).toMatchObject({
      key_hash: createHash('sha256').update(token).digest('hex'),
      key_prefix: token.slice(0, 12),
      status: 'active',
      created_by: 'system',
    });
    const secret = token.slice(38);
    const tables = await app.rows<{ text: string }>(
      `SELECT to_jsonb(k)::text AS text FROM api_keys k UNION ALL SELECT to_jsonb(a)::text FROM audit_events a`,
    );
    expect(tables.filter(({ text }) => text.includes(secret))).toEqual([]);
    expect(JSON.stringify(app.logs)).not.toContain(secret);
  });

  it('records when it was last used', async () => {
    const key = await create();
    await withToken(key.token).expect(200);
    await eventually(async () => {
      const [row] = await app.rows(`SELECT last_used_at FROM api_keys WHERE id = $1`, [key.keyId]);
      expect(row?.['last_used_at']).toBeInstanceOf(Date);
    });
  });

  it('is recorded with what it is, but not with the secret', async () => {
    const { tenantId, keyId, userId, token } = await create({ name: 'CI robot', role: 'editor', expiresInDays: 7 });
    const event = (await app.audit(tenantId)).find(({ event_type: type }) => type === 'auth.api_key.created');
    expect(event).toMatchObject({
      event_type: 'auth.api_key.created',
      outcome: 'success',
      actor_type: 'system',
      resource_type: 'api_key',
      resource_id: keyId,
      metadata_json: {
        user_id: userId,
        key_prefix: token.slice(0, 12),
        key_name: 'CI robot',
        role: 'editor',
        expires_in_days: 7,
      },
    });
  });
});

describe('the header', () => {
  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('takes the scheme as %s', async (scheme) => {
    await withAuthorization(`${scheme} ${(await create()).token}`).expect(200);
  });

  it('splits on any run of blanks', async () => {
    const { token } = await create();
    for (const value of [`Bearer    ${token}`, `Bearer\t${token}`, `  Bearer \t ${token}  `]) {
      await withAuthorization(value).expect(200);
    }
  });

  it('is refused in every other form', async () => {
    const { token } = await create();
    const forms = [
      'Token x',
      'Bearer',
      'Bearer ',
      token,
      `Basic ${token}`,
      `Bearer ${token} x`,
      `Bearer,${token}`,
      `Bearer "${token}"`,
    ];
    for (const value of forms) {
      const response = await withAuthorization(value).expect(401);
      expect([value, response.body.error.code]).toEqual([value, 'AUTH_UNAUTHORIZED']);
      expect(response.get('WWW-Authenticate')).toBe('Bearer');
    }
  });

  it('is the only place where a key counts', async () => {
    const { token } = await create();
    await app.anonymous().get(`/v1/corpora?api_key=${token}&authorization=Bearer%20${token}`).expect(401);
    await app.anonymous().get('/v1/corpora').set('X-Api-Key', token).set('Cookie', `token=${token}`).expect(401);
    await app.anonymous().get('/v1/corpora').set({ 'X-Tenant-Id': 't1', 'X-Role': 'admin' }).expect(401);
  });
});

describe('a token that is none', () => {
  it('401 for what is nearly the right one', async () => {
    const { token, keyId } = await create();
    const other = await create();
    const wrong = [
      token.slice(0, -1),
      `${token}A`,
      token.toUpperCase(),
      token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A'),
      `nrgk_${keyId}_${other.token.slice(38)}`,
      `nrgk_${'0'.repeat(32)}_${token.slice(38)}`,
      `nrgk_${keyId}_`,
      `nrgss_${token.slice(5)}`,
      'nrgk_',
      "' OR 1=1 --",
      'x'.repeat(8000),
    ];
    for (const attempt of wrong) {
      const response = await withToken(encodeURI(attempt));
      expect([attempt, response.status, response.body.error.code]).toEqual([attempt, 401, 'AUTH_UNAUTHORIZED']);
    }
    await withToken(token).expect(200);
  });
});

describe('a key that no longer opens', () => {
  it('AUTH_REVOKED_KEY once it is revoked, with the tenant in the trail', async () => {
    const key = await create();
    await app.as(key.tenantId, () => keys().revoke(key.keyId));
    const response = await withToken(key.token).set('X-Request-Id', 'revoked-1').expect(401);
    expect(response.body.error.code).toBe('AUTH_REVOKED_KEY');
    const event = (await app.audit(key.tenantId)).at(-1);
    expect(event).toMatchObject({
      event_type: 'auth.access.failure',
      outcome: 'failure',
      actor_type: 'api_key',
      actor_id: key.keyId,
      error_code: 'AUTH_REVOKED_KEY',
      request_id: 'revoked-1',
      metadata_json: { path: '/v1/corpora', method: 'GET', user_id: key.userId },
    });
  });

  it('AUTH_EXPIRED_KEY from the instant of its expiry, with an event of its own', async () => {
    const key = await create({ expiresInDays: 1 });
    await withToken(key.token).expect(200);
    await alter(key, `expires_at = now() - interval '1 day'`);
    expect((await withToken(key.token).expect(401)).body.error.code).toBe('AUTH_EXPIRED_KEY');
    expect((await accesses(key.tenantId)).slice(-2)).toEqual([
      ['auth.access.failure', 'AUTH_EXPIRED_KEY'],
      ['auth.api_key.expired', 'AUTH_EXPIRED_KEY'],
    ]);
  });

  it('AUTH_INACTIVE_KEY after too long without use, telling how long that is', async () => {
    const key = await create();
    await alter(key, `last_used_at = now() - interval '120 days'`);
    expect((await withToken(key.token).expect(401)).body.error.code).toBe('AUTH_INACTIVE_KEY');
    expect((await app.audit(key.tenantId)).at(-1)).toMatchObject({
      error_code: 'AUTH_INACTIVE_KEY',
      metadata_json: { inactive_days_threshold: 30 },
    });
    await alter(key, `last_used_at = now()`);
    await withToken(key.token).expect(200);
  });

  it('AUTH_INACTIVE_KEY when it was never used, counted from its creation', async () => {
    const key = await create();
    await alter(key, `created_at = now() - interval '29 days'`);
    await withToken(key.token).expect(200);
    await eventually(async () => {
      const [row] = await app.rows(`SELECT last_used_at FROM api_keys WHERE id = $1`, [key.keyId]);
      expect(row?.['last_used_at']).not.toBeNull();
    });
    await alter(key, `created_at = now() - interval '31 days', last_used_at = NULL`);
    expect((await withToken(key.token).expect(401)).body.error.code).toBe('AUTH_INACTIVE_KEY');
  });

  it('AUTH_UNAUTHORIZED when its user is deactivated', async () => {
    const actor = await app.actor('reader');
    await alterUser(actor, `is_active = false`);
    expect((await actor.get('/v1/corpora').expect(401)).body.error.code).toBe('AUTH_UNAUTHORIZED');
    expect((await accesses(actor.tenantId)).at(-1)).toEqual(['auth.access.failure', 'AUTH_UNAUTHORIZED']);
    await alterUser(actor, `is_active = true`);
    await actor.get('/v1/corpora').expect(200);
  });

  it('AUTH_REVOKED_KEY while it is disabled, and open again afterwards', async () => {
    const key = await create();
    await alter(key, `status = 'disabled', disabled_at = now()`);
    expect((await withToken(key.token).expect(401)).body.error.code).toBe('AUTH_REVOKED_KEY');
    await alter(key, `status = 'active', disabled_at = NULL`);
    await withToken(key.token).expect(200);
  });

  it('names the first reason when there are several', async () => {
    const actor = await app.actor('reader');
    await alter(actor, `expires_at = now() - interval '1 day', last_used_at = now() - interval '1 year'`);
    expect((await actor.get('/v1/corpora')).body.error.code).toBe('AUTH_EXPIRED_KEY');
    await alterUser(actor, `is_active = false`);
    expect((await actor.get('/v1/corpora')).body.error.code).toBe('AUTH_UNAUTHORIZED');
    await alter(actor, `status = 'revoked', revoked_at = now()`);
    expect((await actor.get('/v1/corpora')).body.error.code).toBe('AUTH_REVOKED_KEY');
  });

  it('403 when the stored role is none that we know', async () => {
    const actor = await app.actor('admin');
    for (const role of ['root', 'Admin', '']) {
      await alterUser(actor, `role = '${role}'`);
      expect((await actor.get('/v1/corpora').expect(403)).body.error.code).toBe('AUTH_FORBIDDEN');
    }
  });
});

describe('revoking and rotating', () => {
  it('revokes for good, also twice, recorded once', async () => {
    const key = await create();
    await app.as(key.tenantId, () => keys().revoke(key.keyId, 'lost'));
    await app.as(key.tenantId, () => keys().revoke(key.keyId, 'lost again'));
    const events = (await app.audit(key.tenantId)).filter(({ event_type }) => event_type === 'auth.api_key.revoked');
    expect(events.map(({ metadata_json }) => metadata_json)).toEqual([{ target_key_id: key.keyId, reason: 'lost' }]);
  });

  it('replaces a key by one of the same user, role and expiry', async () => {
    const old = await create({ role: 'editor', expiresInDays: 3, name: 'CI' });
    const next = await app.as(old.tenantId, () => keys().rotate(old.keyId));
    expect((await withToken(old.token).expect(401)).body.error.code).toBe('AUTH_REVOKED_KEY');
    await withToken(next.token).expect(200);
    const [before, after] = await app.rows(
      `SELECT user_id, name, expires_at, rotated_from_id FROM api_keys WHERE tenant_id = $1 ORDER BY created_at, rotated_from_id NULLS FIRST`,
      [old.tenantId],
    );
    expect(after).toEqual({ ...before, rotated_from_id: old.keyId });
    const event = (await app.audit(old.tenantId)).find(({ event_type }) => event_type === 'auth.api_key.rotated');
    expect(event?.['metadata_json']).toMatchObject({
      rotated_from: old.keyId,
      new_key_id: next.id,
      old_key_revoked: true,
    });
  });

  it('keeps the old key when told to', async () => {
    const old = await create();
    const next = await app.as(old.tenantId, () => keys().rotate(old.keyId, { keepOld: true, name: 'second' }));
    await withToken(old.token).expect(200);
    await withToken(next.token).expect(200);
  });

  it('refuses to rotate a revoked key, and to touch one of another tenant', async () => {
    const key = await create();
    const stranger = await app.tenant();
    for (const act of ['revoke', 'rotate'] as const) {
      await expect(app.as<unknown>(stranger, () => keys()[act](key.keyId))).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    await withToken(key.token).expect(200);
    await app.as(key.tenantId, () => keys().revoke(key.keyId));
    await expect(app.as(key.tenantId, () => keys().rotate(key.keyId))).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('makes one new key of two rotations at once', async () => {
    const key = await create();
    const rotate = () => app.as(key.tenantId, () => keys().rotate(key.keyId));
    const results = await Promise.allSettled([rotate(), rotate()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const made = await app.rows(`SELECT id FROM api_keys WHERE rotated_from_id = $1`, [key.keyId]);
    expect(made).toHaveLength(1);
  });
});

describe('the trail of accesses', () => {
  it('has a row for a success, under the id of the response', async () => {
    const actor = await app.actor('editor');
    const response = await actor.get('/v1/corpora').set('User-Agent', 'spec/1').expect(200);
    expect((await app.audit(actor.tenantId)).at(-1)).toMatchObject({
      event_type: 'auth.access.success',
      outcome: 'success',
      actor_type: 'api_key',
      actor_id: actor.keyId,
      actor_role: 'editor',
      subject_id: actor.userId,
      request_id: response.get('X-Request-Id'),
      ip_address: expect.stringMatching(/127\.0\.0\.1$/),
      user_agent: 'spec/1',
      metadata_json: { path: '/v1/corpora', method: 'GET', auth_cache: false },
    });
  });

  it('has none for a public route', async () => {
    const before = (await app.audit(null)).length;
    await app.anonymous().get('/v1/health').expect(200);
    await app.anonymous().get('/v1/docs').expect(200);
    expect(await app.audit(null)).toHaveLength(before);
  });
});
