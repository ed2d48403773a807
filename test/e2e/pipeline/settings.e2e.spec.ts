import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { TestApp, type Actor } from '../../harness/app.js';
import { raw } from './raw-http.js';

const ORIGIN = 'https://app.example.com';

let app: TestApp;
let reader: Actor;
const log = new PassThrough();

beforeAll(async () => {
  const env = {
    CORS_ALLOWED_ORIGINS: `${ORIGIN}, https://other.example.com`,
    LEGACY_ROUTES_ENABLED: 'false',
    LEGACY_SUNSET_AT: '2031-02-03T04:05:06+02:00',
    HTTP_MAX_JSON_BYTES: '1024',
    TRUST_PROXY_HOPS: '1',
  };
  app = await TestApp.start(env, { logger: pino(log) });
  reader = await app.actor('reader');
});
afterAll(() => app.close());

describe('CORS_ALLOWED_ORIGINS', () => {
  const preflight = (origin: string, path = '/v1/run') =>
    app.anonymous().options(path).set({
      Origin: origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization, content-type',
    });

  it('lets a listed origin call with a credential and read our headers', async () => {
    const { headers } = await preflight(ORIGIN).expect(204);
    expect(headers).toMatchObject({ 'access-control-allow-origin': ORIGIN, 'access-control-max-age': '600' });
    expect(headers['access-control-allow-methods']).toContain('POST');
    expect(headers['access-control-allow-headers']).toContain('authorization');
    expect(headers['vary']).toContain('Origin');
    const answer = await reader.get('/v1/corpora').set('Origin', ORIGIN).expect(200);
    expect(answer.get('Access-Control-Allow-Origin')).toBe(ORIGIN);
    const exposed = answer.get('Access-Control-Expose-Headers') ?? '';
    for (const name of ['X-Request-Id', 'X-Run-Id', 'ETag', 'Retry-After']) expect(exposed).toContain(name);
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('also on errors, which a browser could not read otherwise', async () => {
    for (const [path, status] of [
      ['/v1/corpora', 401],
      ['/v1/nope', 404],
      ['/corpora', 410],
    ] as const) {
      const answer = await app.anonymous().get(path).set('Origin', ORIGIN).expect(status);
      expect(answer.get('Access-Control-Allow-Origin')).toBe(ORIGIN);
    }
  });

  it.each(['https://evil.example.com', `${ORIGIN}.evil.com`, `${ORIGIN}:8443`, 'http://app.example.com', 'null'])(
    'tells %s nothing',
    async (origin) => {
      for (const answer of [await preflight(origin), await reader.get('/v1/corpora').set('Origin', origin)]) {
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      }
    },
  );
});

describe('LEGACY_ROUTES_ENABLED=false', () => {
  it('answers every unversioned path 410, with the deprecation headers and the instant that the settings name', async () => {
    for (const path of ['/health', '/corpora', '/nope', '/ui/bootstrap']) {
      const answer = await app.anonymous().get(path).expect(410);
      expect(answer.body.detail.code).toBe('GONE');
      expect(answer.get('Deprecation')).toBe('true');
      expect(answer.get('Sunset')).toBe('Mon, 03 Feb 2031 02:05:06 GMT');
    }
  });

  it('leaves v1 and the redirects to the documentation', async () => {
    await app.anonymous().get('/v1/health').expect(200);
    await app.anonymous().get('/docs').expect(307);
    await app.anonymous().get('/nope').set('Content-Length', '0').expect(410);
  });
});

describe('HTTP_MAX_JSON_BYTES', () => {
  it('moves the limit', async () => {
    const body = { session_id: 's', corpus_id: 'c', message: 'x'.repeat(1000) };
    await reader.post('/v1/run', body).expect(413);
    await reader.post('/v1/run', { ...body, message: 'x'.repeat(900) }).expect(404);
  });
});

describe('TRUST_PROXY_HOPS', () => {
  // Further to the left stands what the client itself claims: believing it would let anybody choose the address in
  // the audit trail.
  it('takes the address that the last proxy saw', async () => {
    await reader.get('/v1/corpora').set({ 'X-Forwarded-For': '1.1.1.1, 203.0.113.7', 'X-Request-Id': 'proxied' });
    const events = await app.audit(reader.tenantId);
    const [event] = events.filter((row) => row['request_id'] === 'proxied');
    expect(event?.['ip_address']).toBe('203.0.113.7');
  });

  it('stores no address that is none', async () => {
    const head = ['GET /v1/corpora HTTP/1.1', `Authorization: Bearer ${reader.token}`, 'X-Request-Id: odd-address'];
    expect((await raw(app.url, [...head, `X-Forwarded-For: <script>${'x'.repeat(5000)}`])).status).toBe(200);
    const [event] = (await app.audit(reader.tenantId)).filter((row) => row['request_id'] === 'odd-address');
    expect(event?.['ip_address']).toBeNull();
  });
});

// Last: it ends the log. Stores that index the lines refuse an object that has a key twice.
describe('the log', () => {
  it('has no line with a key twice', async () => {
    await reader.get('/v1/corpora').set('X-Request-Id', 'counted').expect(200);
    log.end();
    const lines = (await text(log)).split('\n').filter((line) => line.includes('"counted"'));
    expect(lines).toHaveLength(1);
    for (const line of lines) {
      const keys = [...line.matchAll(/"(\w+)":/g)].map((match) => match[1]);
      expect(keys.sort()).toEqual([...new Set(keys)].sort());
    }
  });
});
