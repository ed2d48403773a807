import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { parseEvents } from '../../harness/sse.js';
import { raw } from './raw-http.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let app: TestApp;
let admin: Actor;
let editor: Actor;
let reader: Actor;
let corpusId: string;

beforeAll(async () => {
  app = await TestApp.start({ LOG_LEVEL: 'DEBUG' });
  admin = await app.actor('admin');
  editor = await app.actor('editor', admin.tenantId);
  reader = await app.actor('reader', admin.tenantId);
  corpusId = (await editor.post('/v1/corpora', { name: 'Corpus' }).expect(201)).body.data.id as string;
});
afterAll(() => app.close());

const question = (body: object = {}) => ({ session_id: 's1', corpus_id: corpusId, message: 'Why?', ...body });

describe('request ids', () => {
  it('issues a time-sortable id and gives it in the header and the body', async () => {
    const response = await app.anonymous().get('/v1/health').expect(200);
    expect(response.get('X-Request-Id')).toMatch(UUID_V7);
    expect(response.body.meta.request_id).toBe(response.get('X-Request-Id'));
  });

  it.each(['abc-123', 'a'.repeat(128), 'A.b_c:d-9'])('keeps the id %s of the caller', async (id) => {
    const response = await reader.get('/v1/corpora').set('X-Request-Id', id).expect(200);
    expect(response.get('X-Request-Id')).toBe(id);
    expect(response.body.meta.request_id).toBe(id);
  });

  // Ids end up in logs and indexes: whatever is taken over here, an attacker writes there.
  it.each([
    ['one of 4 KB', 'a'.repeat(4096)],
    ['one of 129 characters', 'a'.repeat(129)],
    ['blanks', 'a b'],
    ['markup', '<script>'],
    ['quotes', 'a"b'],
    ['nothing', ''],
  ])('replaces %s by a fresh id and serves the request', async (_name, id) => {
    const response = await app.anonymous().get('/v1/health').set('X-Request-Id', id).expect(200);
    expect(response.get('X-Request-Id')).toMatch(UUID_V7);
  });

  it('replaces an id that carries a tab or comes twice', async () => {
    const tab = await raw(app.url, ['GET /v1/health HTTP/1.1', 'X-Request-Id: a\tb', 'Connection: close']);
    const twice = await raw(app.url, ['GET /v1/health HTTP/1.1', 'X-Request-Id: a', 'X-Request-Id: b']);
    for (const { status, headers } of [tab, twice]) {
      expect(status).toBe(200);
      expect(headers['x-request-id']).toMatch(UUID_V7);
    }
  });

  it('gives the header and the server timing on every kind of answer', async () => {
    const anonymous = app.anonymous();
    const { id } = (await editor.post('/v1/corpora', { name: 'To delete' })).body.data as { id: string };
    const answers = await Promise.all([
      anonymous.get('/v1/healthz').expect(200),
      anonymous.get('/v1/readyz').expect(200),
      anonymous.get('/v1/docs').expect(200),
      anonymous.get('/v1/docs/swagger-ui.css').expect(200),
      anonymous.get('/v1/openapi.json').expect(200),
      anonymous.get('/docs').expect(307),
      admin.delete(`/v1/corpora/${id}`).expect(204),
      reader.post('/v1/run', question()).expect(200),
      anonymous.options('/v1/corpora').expect(204),
      anonymous.head('/v1/health').expect(200),
      anonymous.get('/v1/corpora').expect(401),
      reader.delete('/v1/corpora/x').expect(403),
      anonymous.get('/v1/nope').expect(404),
      anonymous.get('/nope').expect(404),
      anonymous.put('/v1/documents').expect(405),
      editor.post('/v1/corpora', { name: 1 }).expect(422),
    ]);
    for (const answer of answers) {
      expect(answer.get('X-Request-Id')).toMatch(UUID_V7);
      expect(answer.get('Server-Timing')).toMatch(/^pipeline;dur=\d+\.\d\d, total;dur=\d+\.\d\d$/);
    }
  });

  it('answers a conditional read 304 with the id', async () => {
    const first = await reader.get(`/v1/corpora/${corpusId}`).expect(200);
    const second = await reader
      .get(`/v1/corpora/${corpusId}`)
      .set('If-None-Match', first.get('ETag') ?? '')
      .expect(304);
    expect(second.text).toBe('');
    expect(second.get('X-Request-Id')).toMatch(UUID_V7);
  });

  // A hash of the body costs time and never matches: every body has the id of its request. Versions are tags.
  it('has no tag where its resource has no version', async () => {
    const answers = [await reader.get('/v1/corpora').expect(200), await reader.get('/v1/self-serve/plan')];
    expect(answers.map((answer) => answer.get('ETag'))).toEqual([undefined, undefined]);
  });

  it('is the request_id of every frame of a run', async () => {
    const response = await reader.post('/v1/run', question()).set('X-Request-Id', 'run-7').expect(200);
    const events = parseEvents(response.text);
    expect(events.length).toBeGreaterThan(2);
    expect(events.map(({ data }) => data.request_id)).toEqual(events.map(() => 'run-7'));
    expect(response.get('X-Request-Id')).toBe('run-7');
  });
});

describe('the access log', () => {
  const known = ['context', 'route', 'throttle', 'authentication'];
  const admitted = [...known, 'residency', 'rate limit', 'write gate'];
  const validated = [...admitted, 'role', 'validation'];
  const linesOf = (id: string) => app.logs.filter((line) => line['msg'] === 'request' && line['request_id'] === id);
  const lineOf = (id: string) => eventually(() => (expect(linesOf(id)).toHaveLength(1), linesOf(id)[0]));

  it('has one line a request, with the operation, the tenant, the actor and the stages', async () => {
    await editor.post('/v1/corpora', { name: 'Logged' }).set('X-Request-Id', 'log-1').expect(201);
    expect(await lineOf('log-1')).toMatchObject({
      level: 'info',
      operation: 'corpora.create',
      tenant_id: editor.tenantId,
      actor: editor.keyId,
      stages: [...validated, 'plan', 'idempotency', 'quota', 'handler'],
      req: { method: 'POST', path: '/v1/corpora' },
      res: { status: 201 },
      duration_ms: expect.any(Number),
    });
  });

  it.each([
    ['AUTH_UNAUTHORIZED', 'log-401', () => app.anonymous().get('/v1/corpora'), known],
    ['AUTH_FORBIDDEN', 'log-403', () => reader.delete('/v1/corpora/x'), [...admitted, 'role']],
    ['NOT_FOUND', 'log-404', () => app.anonymous().get('/v1/nope'), ['context']],
    ['METHOD_NOT_ALLOWED', 'log-405', () => app.anonymous().put('/v1/corpora'), ['context']],
    ['REQUEST_VALIDATION_ERROR', 'log-422', () => editor.post('/v1/corpora', {}), validated],
  ] as const)('names the code %s and the stage that refused', async (code, id, request, stages) => {
    await request().set('X-Request-Id', id);
    expect(await lineOf(id)).toMatchObject({ code, stages, level: 'info' });
  });

  it('logs a healthy probe at debug only', async () => {
    await app.anonymous().get('/v1/healthz').set('X-Request-Id', 'log-probe').expect(200);
    expect(await lineOf('log-probe')).toMatchObject({ level: 'debug' });
  });

  it('carries a well-formed traceparent and drops another', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { anonymous } = app;
    await anonymous.call(app).get('/v1/health').set({ 'X-Request-Id': 'log-trace', traceparent });
    await anonymous.call(app).get('/v1/health').set({ 'X-Request-Id': 'log-no-trace', traceparent: '00-x' });
    expect(await lineOf('log-trace')).toMatchObject({ traceparent });
    expect(await lineOf('log-no-trace')).not.toHaveProperty('traceparent');
  });

  it('never shows a credential, a query or a body', async () => {
    const request = editor.post('/v1/corpora?api_key=q-secret', { name: 'b-secret' }).set('X-Request-Id', 'log-secret');
    await request.expect(201);
    await lineOf('log-secret');
    const all = JSON.stringify(app.logs);
    for (const text of [editor.token, 'q-secret', 'b-secret']) expect(all).not.toContain(text);
  });
});

describe('envelopes', () => {
  it.each(['/v1/health', '/v1/corpora', '/v1/documents', '/v1/corpora/:id'])(
    'GET %s has data and meta only',
    async (path) => {
      const response = await reader.get(path.replace(':id', corpusId)).expect(200);
      expect(Object.keys(response.body as object).sort()).toEqual(['data', 'meta']);
      expect(response.body.meta).toMatchObject({ api_version: 'v1', request_id: response.get('X-Request-Id') });
      expect(response.get('Content-Type')).toBe('application/json; charset=utf-8');
    },
  );

  it('says ok in health, and in the bare liveness and readiness probes', async () => {
    expect((await app.anonymous().get('/v1/health')).body.data).toEqual({ status: 'ok' });
    const live = await app.anonymous().get('/v1/healthz').expect(200);
    expect(live.body).toEqual({ status: 'ok', ts: expect.stringMatching(/^\d{4}-.*Z$/) });
    const ready = await app.anonymous().get('/v1/readyz').expect(200);
    expect(ready.body.status).toBe('ok');
    expect(Object.keys(ready.body.details as object)).toEqual(expect.arrayContaining(['database', 'migrations']));
  });

  it('401 without a credential asks for a bearer', async () => {
    const response = await app.anonymous().get('/v1/documents').expect(401);
    expect(response.body.error).toEqual({ code: 'AUTH_UNAUTHORIZED', message: expect.any(String) });
    expect(response.body.meta).toEqual({ request_id: response.get('X-Request-Id'), api_version: 'v1' });
    expect(response.get('WWW-Authenticate')).toBe('Bearer');
  });

  it('404 for an unknown path, also below a known one', async () => {
    for (const path of ['/v1/nope', '/v1', '/v1/', '/v1/corpora/a/b', '/v1//corpora', '/v1/Corpora']) {
      const response = await app.anonymous().get(path).expect(404);
      expect(response.body.error.code).toBe('NOT_FOUND');
    }
  });

  it('405 with the methods that the path knows', async () => {
    const response = await app.anonymous().put('/v1/documents').expect(405);
    expect(response.body.error.code).toBe('METHOD_NOT_ALLOWED');
    expect(response.get('Allow')).toBe('GET, HEAD, POST');
    expect((await app.anonymous().head('/v1/run').expect(405)).get('Allow')).toBe('POST');
    expect((await editor.post('/v1/openapi.json').expect(405)).get('Allow')).toBe('GET, HEAD');
  });

  it('OPTIONS tells the methods, HEAD answers as GET without a body', async () => {
    expect((await app.anonymous().options('/v1/corpora').expect(204)).get('Allow')).toBe('GET, HEAD, POST');
    await app.anonymous().options('/v1/nope').expect(404);
    const get = await reader.get(`/v1/corpora/${corpusId}`).expect(200);
    const head = await app
      .anonymous()
      .head(`/v1/corpora/${corpusId}`)
      .set('Authorization', `Bearer ${reader.token}`)
      .expect(200);
    expect(head.get('ETag')).toBe(get.get('ETag'));
    expect(head.get('Content-Length')).toBe(get.get('Content-Length'));
    expect(head.text).toBeUndefined();
    await app.anonymous().head('/v1/corpora').expect(401);
    const refused = await raw(app.url, ['HEAD /v1/nope HTTP/1.1', 'Connection: close']);
    expect(refused).toMatchObject({ status: 404, body: '' });
  });

  it('sets the security headers and hides the framework', async () => {
    const { headers } = await app.anonymous().get('/v1/health');
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('unversioned aliases', () => {
  const SUNSET = 'Sun, 10 May 2026 00:00:00 GMT';
  const DEPRECATED = {
    deprecation: 'true',
    sunset: SUNSET,
    link: expect.stringContaining('</v1/docs>; rel="successor-version"'),
  };

  it('answer the bare payload with the deprecation headers', async () => {
    const response = await app.anonymous().get('/health').expect(200);
    expect(response.body).toEqual({ status: 'ok' });
    expect(response.headers).toMatchObject(DEPRECATED);
    const corpora = await reader.get('/corpora?limit=1').expect(200);
    expect(corpora.body).toHaveLength(1);
    expect(corpora.get('Link')).toContain('rel="next"');
    expect((await app.anonymous().get('/v1/health')).headers).not.toHaveProperty('deprecation');
  });

  it.each([
    ['401', () => app.anonymous().get('/corpora'), { code: 'AUTH_UNAUTHORIZED', message: expect.any(String) }],
    ['403', () => reader.delete('/corpora/x'), { code: 'AUTH_FORBIDDEN', message: expect.any(String) }],
    ['404', () => reader.get('/corpora/nope'), { code: 'NOT_FOUND', message: expect.any(String) }],
    ['405', () => app.anonymous().put('/corpora'), { code: 'METHOD_NOT_ALLOWED', message: expect.any(String) }],
    [
      '422',
      () => editor.post('/corpora', {}),
      [{ loc: ['body', 'name'], msg: expect.any(String), type: expect.any(String) }],
    ],
  ] as const)('answer %s as detail, with the headers', async (status, request, detail) => {
    const response = await request().expect(Number(status));
    expect(response.body).toEqual({ detail });
    expect(response.headers).toMatchObject(DEPRECATED);
  });

  it.each(['/nope', '/v1foo', '/api', '/api/nope', '/docsfoo'])(
    'answer the unknown path %s in their shape',
    async (path) => {
      const response = await app.anonymous().get(path).expect(404);
      expect(response.body).toEqual({ detail: { code: 'NOT_FOUND', message: expect.any(String) } });
      expect(response.headers).toMatchObject(DEPRECATED);
    },
  );

  it('do not exist for the UI, nor twice', async () => {
    expect((await app.anonymous().get('/ui/bootstrap').expect(404)).body).toHaveProperty('detail');
    await app.anonymous().get('/v1/v1/health').expect(404);
    await app.anonymous().get('/V1/health').expect(404);
  });

  it('run with the bare shape', async () => {
    const response = await reader.post('/run', question({ stream: false })).expect(200);
    expect(response.body).toMatchObject({ session_id: 's1', text: expect.any(String) });
    expect(response.headers).toMatchObject(DEPRECATED);
  });
});

describe('the description of the API', () => {
  it('redirects to v1 without a deprecation', async () => {
    for (const [path, target] of [
      ['/docs', '/v1/docs'],
      ['/openapi.json', '/v1/openapi.json'],
    ] as const) {
      const response = await app.anonymous().get(path).redirects(0).expect(307);
      expect(response.get('Location')).toBe(target);
      expect(response.headers).not.toHaveProperty('deprecation');
    }
  });

  it('is bare JSON that lists every v1 route and who needs a bearer', async () => {
    const { body } = await app
      .anonymous()
      .get('/v1/openapi.json')
      .expect(200)
      .expect('Content-Type', /^application\/json/);
    const paths = body.paths as Record<string, Record<string, { security?: object[] }>>;
    expect(body).toMatchObject({ openapi: expect.any(String), servers: [{ url: '/' }] });
    expect(body.components.securitySchemes.BearerAuth).toMatchObject({ type: 'http', scheme: 'bearer' });
    expect(Object.keys(paths).filter((path) => !path.startsWith('/v1/'))).toEqual([]);
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security = [] }]) => [`${method.toUpperCase()} ${path}`, security]),
    );
    const served = app.app.manifest.routes.map(({ method, path, operation }) => [
      `${method} ${path.replace(/:(\w+)/g, '{$1}')}`,
      operation.role === 'public' ? [] : [{ BearerAuth: [] }],
    ]);
    expect(Object.fromEntries(described)).toEqual(Object.fromEntries(served));
  });

  // The page is static HTML whose scripts come from the same origin: the policy must let them run, and nothing else.
  it('has a viewer whose parts load under the content security policy', async () => {
    const page = await app
      .anonymous()
      .get('/v1/docs')
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    const own = parts.filter((part) => !part.startsWith('data:') && !part.startsWith('#'));
    expect(own.filter((part) => part.endsWith('.js'))).toHaveLength(3);
    for (const part of own) {
      const { pathname } = new URL(part, `${app.url}/v1/docs`);
      const asset = await app.anonymous().get(pathname).expect(200);
      expect(asset.get('X-Content-Type-Options')).toBe('nosniff');
    }
    expect(page.text).not.toMatch(/<script>|<script(?![^>]*\ssrc=)[^>]*>|\son\w+="/);
    const policy = page.get('Content-Security-Policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).toMatch(/style-src [^;]*'unsafe-inline'/);
    expect(policy).not.toContain('upgrade-insecure-requests');
    await app.anonymous().get('/v1/docs/nope.js').expect(404);
    await app.anonymous().get('/v1/docs/..%2f..%2fpackage.json').expect(404);
  });
});
