import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SETTINGS } from '../../../src/app/catalogue.js';
import { loadSettings } from '../../../src/kernel/settings.js';
import { TestApp, type Actor } from '../../harness/app.js';

describe('AUTH_DEV_BYPASS=true', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start({ AUTH_DEV_BYPASS: 'true' });
  });
  afterAll(() => app.close());

  const as = (headers: Record<string, string>) => app.anonymous().get('/v1/corpora').set(headers);

  it('acts as an admin of the tenant that the header names, making it if need be', async () => {
    const created = await app
      .anonymous()
      .post('/v1/corpora')
      .set('X-Tenant-Id', 't1')
      .send({ name: 'Mine' })
      .expect(201);
    expect(created.body.data.tenant_id).toBe('t1');
    await app.anonymous().delete(`/v1/corpora/${created.body.data.id}`).set('X-Tenant-Id', 't2').expect(404);
    await app.anonymous().delete(`/v1/corpora/${created.body.data.id}`).set('X-Tenant-Id', ' t1 ').expect(204);
    const events = await app.audit('t1');
    expect(events.find(({ event_type }) => event_type === 'auth.access.success')).toMatchObject({
      actor_type: 'dev_bypass',
      actor_id: 'dev-bypass',
      actor_role: 'admin',
      subject_id: 'dev-t1',
    });
  });

  it('acts in the role of the header, whatever its case', async () => {
    const post = (role: string) =>
      app
        .anonymous()
        .post('/v1/corpora')
        .set({ 'X-Tenant-Id': 't1', 'X-Role': role })
        .send({ name: `By ${role.trim()}` });
    await post(' Editor ').expect(201);
    await post('READER').expect(403);
  });

  it('400 for a role that is none', async () => {
    for (const role of ['root', 'admin,reader', '']) {
      const response = await as({ 'X-Tenant-Id': 't1', 'X-Role': role }).expect(400);
      expect(response.body.error.code).toBe('AUTH_INVALID_ROLE');
    }
  });

  it('401 without a tenant, and for one that is none', async () => {
    for (const headers of [
      {},
      ...['', ' ', '../x', 'a b', "'; --", 'x'.repeat(129)].map((id) => ({ 'X-Tenant-Id': id })),
    ]) {
      const response = await as(headers).expect(401);
      expect(response.body.error.code).toBe('AUTH_UNAUTHORIZED');
      expect(response.get('WWW-Authenticate')).toBe('Bearer');
    }
  });

  it('prefers a key that is sent, whatever the headers claim', async () => {
    const reader = await app.actor('reader');
    await reader.delete('/v1/corpora/x').set({ 'X-Tenant-Id': 't1', 'X-Role': 'admin' }).expect(403);
  });

  it('401 for a malformed or unknown key: it does not fall back', async () => {
    for (const authorization of ['Token x', 'Bearer', 'Bearer nrgk_x', '']) {
      await as({ 'X-Tenant-Id': 't1', Authorization: authorization }).expect(401);
    }
  });
});

describe('AUTH_ENABLED=false', () => {
  let app: TestApp;
  afterEach(() => app.close());

  it('refuses everybody and says how to go on, unless the bypass is on', async () => {
    app = await TestApp.start({ AUTH_ENABLED: 'false' });
    const actor = await app.actor('admin');
    const response = await actor.get('/v1/corpora').set('X-Tenant-Id', 't1').expect(401);
    expect(response.body.error).toMatchObject({
      code: 'AUTH_UNAUTHORIZED',
      message: expect.stringContaining('AUTH_DEV_BYPASS'),
    });
    await app.anonymous().get('/v1/health').expect(200);
  });

  it('lets the headers decide alone with the bypass on', async () => {
    app = await TestApp.start({ AUTH_ENABLED: 'false', AUTH_DEV_BYPASS: 'true' });
    const actor: Actor = await app.actor('reader');
    const response = await actor.post('/v1/corpora', { name: 'x' }).set('X-Tenant-Id', 't1').expect(201);
    expect(response.body.data.tenant_id).toBe('t1');
    await actor.get('/v1/corpora').set({ 'X-Tenant-Id': 't1', Authorization: 'Token x' }).expect(401);
  });
});

describe('AUTH_API_KEY_HEADER', () => {
  let app: TestApp;
  afterEach(() => app.close());

  it('moves the credential to another header', async () => {
    app = await TestApp.start({ AUTH_API_KEY_HEADER: 'X-Api-Key', AUTH_API_KEY_INACTIVE_ENFORCED: 'false' });
    const { token, keyId } = await app.actor('reader');
    await app.rows(`UPDATE api_keys SET created_at = '2000-01-01' WHERE id = $1 RETURNING id`, [keyId]);
    await app.anonymous().get('/v1/corpora').set('X-Api-Key', `Bearer ${token}`).expect(200);
    await app.anonymous().get('/v1/corpora').set('Authorization', `Bearer ${token}`).expect(401);
    await app.anonymous().get('/v1/corpora').set('X-Api-Key', token).expect(401);
  });
});

describe('production', () => {
  // A copied .env would let anybody act as any tenant.
  it('does not start with the bypass on, or with authentication off', () => {
    const start = (env: Record<string, string>) => () => loadSettings({ NODE_ENV: 'production', ...env }, SETTINGS);
    expect(start({ AUTH_DEV_BYPASS: 'true' })).toThrow('AUTH_DEV_BYPASS must be off in production');
    expect(start({ AUTH_ENABLED: 'false' })).toThrow('AUTH_ENABLED must be on in production');
  });
});
