import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { uploadFolders } from '../../harness/upload-files.js';
import { raw, RawConnection, type RawAnswer } from './raw-http.js';

const MIB = 1024 * 1024;

let app: TestApp;
let editor: Actor;
let reader: Actor;
let corpusId: string;

beforeAll(async () => {
  app = await TestApp.start({ INGEST_MAX_BYTES: String(MIB) });
  editor = await app.actor('editor');
  reader = await app.actor('reader', editor.tenantId);
  corpusId = (await editor.post('/v1/corpora', { name: 'Corpus' }).expect(201)).body.data.id as string;
});
afterAll(() => app.close());

interface Sent {
  readonly to?: string;
  readonly by?: Actor;
  readonly type?: string;
  readonly headers?: readonly string[];
}

/** A POST whose body is exactly these bytes. */
function send(
  body: string | Buffer,
  { to = '/v1/corpora', by = editor, type = 'application/json', headers = [] }: Sent = {},
) {
  return raw(
    app.url,
    [
      `POST ${to} HTTP/1.1`,
      `Authorization: Bearer ${by.token}`,
      ...(type === '' ? [] : [`Content-Type: ${type}`]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...headers,
    ],
    body,
  );
}

function form(fields: Readonly<Record<string, string>>, file = 'text'): [Buffer, Sent] {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head =
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n';
  return [
    Buffer.from(`${parts.join('')}${head}${file}\r\n--b--\r\n`),
    { to: '/v1/documents', type: 'multipart/form-data; boundary=b' },
  ];
}

interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly details?: { readonly errors: Fault[] } };
  readonly meta: { readonly request_id: string };
}
interface Fault {
  readonly loc: readonly string[];
  readonly msg: string;
  readonly type: string;
}

function errorOf(answer: RawAnswer): ErrorBody['error'] {
  const { error, meta } = JSON.parse(answer.body) as ErrorBody;
  expect(answer.headers['x-request-id']).toBe(meta.request_id);
  return error;
}

function expectError(answer: RawAnswer, status: number, code: string): void {
  expect([answer.status, errorOf(answer).code]).toEqual([status, code]);
}

const names = async () => (await app.rows(`SELECT name FROM corpora WHERE tenant_id = $1`, [editor.tenantId])).length;

describe('JSON that is none, or not ours', () => {
  it.each([
    ['an open brace', '{'],
    ['a lone word', 'nope'],
    ['single quotes', "{'name':'x'}"],
    ['a trailing comma', '{"name":"x",}'],
    ['NaN', '{"name":NaN}'],
    ['two values', '{"name":"x"} {"name":"y"}'],
    ['a NUL byte between tokens', '{"name":\0"x"}'],
    ['an array', '[{"name":"x"}]'],
    ['text', '"name"'],
    ['a number', '1'],
    ['null', 'null'],
    ['nothing', ''],
    ['blanks', '  '],
    ['a NUL in a string', '{"name":"a\\u0000b"}'],
    ['a NUL in free JSON', '{"name":"x","provider_config_json":{"note":["a\\u0000b"]}}'],
    ['a NUL in a key', '{"name":"x","provider_config_json":{"a\\u0000b":1}}'],
    ['half a surrogate pair', '{"name":"a\\ud800b"}'],
    ['half a surrogate pair in free JSON', '{"name":"x","provider_config_json":{"note":"\\udc00"}}'],
    ['half a surrogate pair in a key', '{"name":"x","provider_config_json":{"\\ud800":1}}'],
    ['__proto__', '{"name":"x","__proto__":{"role":"admin"}}'],
    ['__proto__ within', '{"name":"x","provider_config_json":{"a":{"__proto__":{"b":1}}}}'],
    ['constructor', '{"name":"x","constructor":{"prototype":{"admin":true}}}'],
    ['an unknown field', '{"name":"x","colour":"red"}'],
    ['toString as a field', '{"name":"x","toString":"x"}'],
    [
      '10,000 arrays in one another',
      `{"name":"x","provider_config_json":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`,
    ],
    ['a million arrays in one another', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
    ['10,000 objects in one another', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ])('422 for %s, changing nothing', async (_name, body) => {
    const before = await names();
    const answer = await send(body);
    expectError(answer, 422, 'REQUEST_VALIDATION_ERROR');
    expect(await names()).toBe(before);
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  it.each([
    ['in a string', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['as an overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['as an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['cut off', Buffer.from([0x22, 0xe2, 0x82, 0x22])],
  ])('422 for invalid UTF-8 %s', async (_name, value) => {
    const answer = await send(Buffer.concat([Buffer.from('{"name":'), value, Buffer.from('}')]));
    expectError(answer, 422, 'REQUEST_VALIDATION_ERROR');
    expect(errorOf(answer).details?.errors[0]).toMatchObject({ loc: ['body'], type: 'encoding' });
  });

  it('takes every well-formed text, also outside the basic plane', async () => {
    const name = 'Straße – 日本語 🐧 \u202e\ufffe';
    const response = await editor.post('/v1/corpora', { name }).expect(201);
    expect(response.body.data.name).toBe(name);
  });

  // What was sent may be a password in the wrong field: an error that repeats it puts it into logs and browsers.
  it('names the faulty fields, at most 50, and never repeats what was sent', async () => {
    const fields = Object.fromEntries(Array.from({ length: 200 }, (_value, index) => [`field${index}`, 'hunter2']));
    const answer = await send(JSON.stringify({ name: 7, ...fields }));
    expectError(answer, 422, 'REQUEST_VALIDATION_ERROR');
    const { errors = [] } = errorOf(answer).details ?? {};
    expect(errors).toHaveLength(50);
    for (const fault of errors) expect(Object.keys(fault).sort()).toEqual(['loc', 'msg', 'type']);
    expect(answer.body).not.toContain('hunter2');
  });

  it('says where a fault is', async () => {
    const answer = await send(JSON.stringify({ session_id: 's', corpus_id: corpusId, message: 'x', top_k: 0 }), {
      to: '/v1/run',
    });
    expectError(answer, 422, 'REQUEST_VALIDATION_ERROR');
    expect(errorOf(answer).details?.errors).toEqual([
      { loc: ['body', 'top_k'], msg: expect.any(String), type: expect.any(String) },
    ]);
  });
});

describe('the tenant', () => {
  const bodies = {
    '/v1/corpora': { name: 'x' },
    '/v1/documents/text': { corpus_id: 'c', text: 'x' },
    '/v1/documents/d/reindex': {},
    '/v1/run': { session_id: 's', corpus_id: 'c', message: 'x' },
  };
  it.each(Object.entries(bodies))('is refused in the body of %s, before any other fault', async (to, body) => {
    for (const tenant_id of ['t2', null, {}]) {
      expectError(await send(JSON.stringify({ ...body, tenant_id, unknown: 1 }), { to }), 400, 'TENANT_ID_NOT_ALLOWED');
    }
  });

  it('is refused as a form field', async () => {
    const [body, to] = form({ corpus_id: corpusId, tenant_id: 't2' });
    expectError(await send(body, to), 400, 'TENANT_ID_NOT_ALLOWED');
  });
});

describe('bodies of the wrong size or type', () => {
  const large = JSON.stringify({ name: 'x'.repeat(3 * MIB) });

  it('413 for 3 MiB of JSON', async () => {
    expectError(await send(large), 413, 'PAYLOAD_TOO_LARGE');
    const response = await editor.post('/corpora', { name: 'x'.repeat(3 * MIB) }).expect(413);
    expect(response.body.detail.code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('takes exactly the limit', async () => {
    const body = `${' '.repeat(2 * MIB - 2)}{}`;
    expectError(await send(body), 422, 'REQUEST_VALIDATION_ERROR');
    expectError(await send(` ${body}`), 413, 'PAYLOAD_TOO_LARGE');
  });

  // Nothing of the body is sent: an answer proves that the declared length alone was enough.
  it('413 for a declared length over the limit, before anybody is authenticated', async () => {
    for (const [path, length] of [
      ['/v1/corpora', 3 * MIB],
      ['/v1/documents', 3 * MIB],
      ['/corpora', 1e15],
    ] as const) {
      const answer = await raw(app.url, [
        `POST ${path} HTTP/1.1`,
        'Content-Type: application/json',
        `Content-Length: ${length}`,
      ]);
      expect(answer.status).toBe(413);
      expect(answer.headers['x-request-id']).toBeDefined();
    }
  });

  // A body that never ends must not hold the answer back: the sender would never learn, and we would read for ever.
  it('413 for a chunked body as soon as it passes the limit', async () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (const [path, type, start] of [
      ['/v1/corpora', 'application/json', ''],
      ['/v1/documents', 'multipart/form-data; boundary=b', form({}, '')[0].toString().split('--b--')[0] ?? ''],
    ] as const) {
      const connection = new RawConnection(app.url);
      const head = [
        'Host: x',
        `Authorization: Bearer ${editor.token}`,
        `Content-Type: ${type}`,
        'Transfer-Encoding: chunked',
      ];
      void connection.write(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
      if (start !== '') void connection.write(`${start.length.toString(16)}\r\n${start.replace(/\r\n$/, '')}\r\n\r\n`);
      for (let sent = 0; sent < 2 * MIB + 0x20000; sent += 0x10000) void connection.write(chunk);
      const answer = await connection.answer().finally(() => connection.destroy());
      expectError(answer, 413, 'PAYLOAD_TOO_LARGE');
    }
  });

  it('413 for a small body that inflates over the limit; a sound one is read', async () => {
    const headers = ['Content-Encoding: gzip'];
    expectError(await send(gzipSync(large), { headers }), 413, 'PAYLOAD_TOO_LARGE');
    expect((await send(gzipSync('{"name":"Inflated"}'), { headers })).status).toBe(201);
  });

  it('413 for a file over the limit', async () => {
    const [body, to] = form({ corpus_id: corpusId }, 'x'.repeat(MIB + 1));
    expectError(await send(body, to), 413, 'PAYLOAD_TOO_LARGE');
    const [fits] = form({ corpus_id: corpusId }, 'x'.repeat(MIB));
    expect((await send(fits, to)).status).toBe(202);
  });

  it.each([
    ['text', 'text/plain', []],
    ['no type', '', []],
    ['a form', 'application/x-www-form-urlencoded', []],
    ['a type that is none', 'a b c', []],
    ['a foreign charset', 'application/json; charset=latin1', []],
    ['an unknown encoding', 'application/json', ['Content-Encoding: foo']],
  ])('415 for %s', async (_name, type, headers) => {
    expectError(await send('{"name":"x"}', { type, headers }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it.each([
    ['an upload sent as JSON', '{}', { to: '/v1/documents' }],
    ['an upload without a type', 'x', { to: '/v1/documents', type: '' }],
  ])('415 for %s', async (_name, body, to: Sent) => {
    expectError(await send(body, to), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it.each([
    ['no boundary', Buffer.from('x'), { to: '/v1/documents', type: 'multipart/form-data' }],
    [
      'a form that ends early',
      Buffer.from('--b\r\nContent-Disp'),
      { to: '/v1/documents', type: 'multipart/form-data; boundary=b' },
    ],
    ['an unknown field', ...form({ corpus_id: 'c', colour: 'red' })],
    ['a __proto__ field', ...form({ corpus_id: 'c', '__proto__[role]': 'admin' })],
    ['a field that is a list', ...form({ 'corpus_id[]': 'c' })],
    ['a NUL in a field', ...form({ corpus_id: 'a\0b' })],
    ['1,000 fields', ...form(Object.fromEntries(Array.from({ length: 1000 }, (_value, index) => [`f${index}`, 'x'])))],
    ['a field of 1 MiB', ...form({ corpus_id: 'x'.repeat(MIB) })],
  ])('422 for a form with %s', async (_name, body, to: Sent) => {
    const answer = await send(body, to);
    expectError(answer, 422, 'REQUEST_VALIDATION_ERROR');
  });

  it('422 for data that is not compressed as it says', async () => {
    const answer = await send('{"name":"x"}', { headers: ['Content-Encoding: gzip'] });
    expectError(answer, 422, 'REQUEST_VALIDATION_ERROR');
  });
});

describe('queries and paths', () => {
  it('422 for 1,000 parameters, a parameter twice, one of the wrong type, and one that is unknown', async () => {
    const many = Array.from({ length: 1000 }, (_value, index) => `p${index}=x`).join('&');
    const bad = [
      many,
      'limit=1&limit=2',
      'cursor=a&cursor=b',
      'limit=x',
      'limit=',
      'limit=0',
      'limit=201',
      'limit[a]=1',
      'x=1',
    ];
    for (const query of [...bad, '__proto__=x', 'constructor=x', 'cursor=%00', 'cursor=a%00b']) {
      const response = await reader.get(`/v1/corpora?${query}`);
      expect([query.slice(0, 20), response.status, response.body.error?.code]).toEqual([
        query.slice(0, 20),
        422,
        'REQUEST_VALIDATION_ERROR',
      ]);
      expect(response.body.error.details.errors[0].loc[0]).toBe('query');
    }
  });

  it('404 for a path value that can name nothing', async () => {
    const values = [
      '%00',
      'a%00b',
      'x'.repeat(513),
      '%F0%9F%90%A7',
      '__proto__',
      "'; DROP TABLE corpora --",
      '..',
      '%2e%2e%2f',
    ];
    for (const value of values) {
      const response = await reader.get(`/v1/corpora/${value.includes('%') ? value : encodeURIComponent(value)}`);
      expect([value, response.status, response.body.error?.code]).toEqual([value, 404, 'NOT_FOUND']);
    }
  });

  it.each(['%', '%zz', '%E0%A4%A', '%ff', '%c0%af'])('400 for the malformed encoding %s in a path', async (value) => {
    const authorization = `Authorization: Bearer ${reader.token}`;
    expectError(await raw(app.url, [`GET /v1/corpora/${value} HTTP/1.1`, authorization]), 400, 'BAD_REQUEST');
    const legacy = await raw(app.url, [`GET /corpora/${value} HTTP/1.1`, authorization]);
    expect([legacy.status, JSON.parse(legacy.body)]).toEqual([
      400,
      { detail: expect.objectContaining({ code: 'BAD_REQUEST' }) },
    ]);
  });

  it('answers odd request targets without failing', async () => {
    expect((await raw(app.url, ['GET http://evil.example/v1/health HTTP/1.1'])).status).toBe(200);
    for (const target of [
      '//evil.example/v1/health',
      '/v1/../v1/health',
      '/v1/health/%2e%2e',
      '/v1/%68ealth',
      '*',
      '/v1/health;x=1',
    ]) {
      const answer = await raw(app.url, [`GET ${target} HTTP/1.1`]);
      expect([target, answer.status]).toEqual([target, 404]);
      expect(answer.headers['x-request-id']).toBeDefined();
    }
    const page = await raw(app.url, [
      `GET http://evil.example/v1/corpora?limit=1 HTTP/1.1`,
      `Authorization: Bearer ${reader.token}`,
    ]);
    expect(page.headers['link'] ?? '').not.toContain('evil');
  });
});

describe('requests that HTTP itself forbids', () => {
  it.each([
    ['no HTTP', 400, 'hello\r\n\r\n'],
    ['an unknown method', 400, 'BREW /v1/health HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a header that splits', 400, 'GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\rX-Evil: 1\r\n\r\n'],
    ['a NUL in a header', 400, 'GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\0b\r\n\r\n'],
    ['two lengths', 400, 'POST /v1/run HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    [
      'a length and chunks',
      400,
      'POST /v1/run HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['20 KiB of headers', 431, `GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Padding: ${'x'.repeat(20_480)}\r\n\r\n`],
  ])('answers %s with %i in an envelope, with an id, and closes', async (_name, status, bytes) => {
    const connection = new RawConnection(app.url);
    void connection.write(bytes);
    const answer = await connection.answer().finally(() => connection.destroy());
    expectError(answer, status, status === 431 ? 'REQUEST_HEADER_FIELDS_TOO_LARGE' : 'BAD_REQUEST');
    expect(answer.headers['connection']).toBe('close');
  });

  it('takes nothing of a header into another', async () => {
    const answer = await raw(app.url, [
      'GET /v1/health HTTP/1.1',
      'X-Request-Id: a%0d%0aX-Evil: 1',
      'X-Request-Id: ok',
    ]);
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('x-evil');
  });
});

describe('clients that leave', () => {
  const lineOf = (id: string) =>
    eventually(() => {
      const lines = app.logs.filter((line) => line['msg'] === 'request' && line['request_id'] === id);
      expect(lines).toHaveLength(1);
      return lines[0];
    });

  it.each([
    ['JSON', 'application/json', '/v1/corpora', '{"name":'],
    ['a form', 'multipart/form-data; boundary=b', '/v1/documents', form({})[0].toString().slice(0, 100)],
  ])(
    'in the middle of %s are logged as gone, blamed on nobody, and leave nothing behind',
    async (_name, type, path, part) => {
      for (let attempt = 0; attempt < 10; attempt += 1) {
        const id = `gone-${path.slice(4)}-${attempt}`;
        const connection = new RawConnection(app.url);
        const head = [
          'Host: x',
          `Authorization: Bearer ${editor.token}`,
          `Content-Type: ${type}`,
          'Content-Length: 1000',
          `X-Request-Id: ${id}`,
        ];
        await connection.write(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${part}`);
        // Leaves at another moment each time: from "nobody is authenticated yet" to "the body is awaited".
        for (let turn = 0; turn < attempt * 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        connection.destroy();
        const line = await lineOf(id);
        expect(line).toMatchObject({ level: 'info', aborted: true });
      }
      await eventually(() => expect(uploadFolders()).toEqual([]));
      expect(app.logs.filter((line) => line['msg'] === 'request failed')).toEqual([]);
    },
  );
});

describe('the order of the checks', () => {
  it('401 before 403 before what is wrong with the body', async () => {
    const post = (headers: readonly string[]) =>
      raw(
        app.url,
        ['POST /v1/corpora HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 1', ...headers],
        '{',
      );
    expectError(await post([]), 401, 'AUTH_UNAUTHORIZED');
    expectError(await post([`Authorization: Bearer ${reader.token}`]), 403, 'AUTH_FORBIDDEN');
    expectError(await post([`Authorization: Bearer ${editor.token}`]), 422, 'REQUEST_VALIDATION_ERROR');
  });
});

// Last: whatever came before, the process still serves and logged no failure of its own.
describe('after all that', () => {
  it('the service is healthy and nothing was our fault', async () => {
    await reader.get('/v1/corpora').expect(200);
    expect(app.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });
});
