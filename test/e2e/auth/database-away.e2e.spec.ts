import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';

let app: TestApp;
let reader: Actor;

beforeAll(async () => {
  // Without jobs: the embedded database never answers what is under way when it is closed.
  app = await TestApp.start({ AUTH_CACHE_TTL_S: '300' }, {}, false);
});
beforeEach(async () => {
  if (!app.dataSource.isInitialized) await app.dataSource.initialize();
  reader = await app.actor('reader');
});
afterAll(async () => {
  if (!app.dataSource.isInitialized) await app.dataSource.initialize();
  await app.close();
});

describe('while the database is away', () => {
  // "Cannot check" must never turn into "may pass", nor into "wrong key", which makes people replace a good one.
  it('503 AUTH_UNAVAILABLE for every key that is not cached', async () => {
    await app.dataSource.destroy();
    for (const token of [reader.token, `nrgk_${'0'.repeat(32)}_${'A'.repeat(43)}`]) {
      const response = await app.anonymous().get('/v1/corpora').set('Authorization', `Bearer ${token}`).expect(503);
      expect(response.body.error).toEqual({ code: 'AUTH_UNAVAILABLE', message: expect.any(String) });
      expect(response.get('X-Request-Id')).toBe(response.body.meta.request_id);
      expect(response.headers).not.toHaveProperty('www-authenticate');
    }
    const legacy = await reader.get('/corpora').expect(503);
    expect(legacy.body.detail.code).toBe('AUTH_UNAVAILABLE');
  });

  it('401 for what is no key at all', async () => {
    await app.dataSource.destroy();
    await app.anonymous().get('/v1/corpora').expect(401);
    await app.anonymous().get('/v1/corpora').set('Authorization', 'Bearer x').expect(401);
  });

  it('never 200 for a key that is cached, when its rows cannot be read', async () => {
    await reader.get('/v1/corpora').expect(200);
    await app.dataSource.destroy();
    const response = await reader.get('/v1/corpora');
    expect(response.status).toBeGreaterThanOrEqual(500);
    expect(response.text).not.toMatch(/driver|typeorm|connect/i);
  });

  it('keeps the trail of what happened meanwhile, and writes it afterwards', async () => {
    await app.audit(null);
    await app.dataSource.destroy();
    await app.anonymous().get('/v1/corpora').set('X-Request-Id', 'away-1').expect(401);
    await reader.get('/v1/corpora').set('X-Request-Id', 'away-2').expect(503);
    await expect(app.audit(null)).rejects.toThrow();
    await app.dataSource.initialize();
    const codes = (await app.audit(null))
      .filter(({ request_id }) => /^away-[12]$/.test(String(request_id)))
      .map(({ request_id, error_code }) => [request_id, error_code]);
    expect(codes).toEqual([
      ['away-1', 'AUTH_UNAUTHORIZED'],
      ['away-2', 'AUTH_UNAVAILABLE'],
    ]);
    await reader.get('/v1/corpora').expect(200);
  });
});
