import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSettings } from '../../kernel/settings.js';
import { SystemClock } from '../../kernel/time.js';
import { apiClientSettings } from '../../platform/api-client/index.js';
import { ScriptedServer, sendJson } from '../../../test/harness/scripted-server.js';
import { runMcpctl } from './program.js';

let folder: string;
let server: ScriptedServer;
let out: string;
let err: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpctl-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  server = await ScriptedServer.start((response) => sendJson(response, 200, { data: {}, meta: {} }));
  [out, err] = ['', ''];
});
afterEach(() => server.close());

function mcpctl(line: readonly string[], env: Record<string, string> = { MCP_HOST_URL: server.url }): Promise<number> {
  return runMcpctl(line, {
    version: '1.2.3',
    output: { out: (text) => (out += `${text}\n`), err: (text) => (err += `${text}\n`) },
    clock: new SystemClock(),
    configFolder: folder,
    settings: () => loadSettings(env, [apiClientSettings]).get(apiClientSettings),
  });
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** As a shell splits it; single quotes hold blanks together. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

const answering = (data: unknown): void => server.next((response) => sendJson(response, 200, { data, meta: {} }));

const base64 = (text: string) => Buffer.from(text).toString('base64');
const digest = (text: string) => createHash('sha256').update(text).digest('base64');

describe('the calls', () => {
  const v = '/v1/vector-dbs';
  const k = '/v1/providers/p1/keys';
  it.each<[line: string, method: string, path: string, body?: object]>([
    ['vector-dbs list', 'GET', v],
    ['vector-dbs create main', 'POST', v, { name: 'main' }],
    [
      'vector-dbs create main --db-type qdrant --region eu --url http://db',
      'POST',
      v,
      { name: 'main', db_type: 'qdrant', region: 'eu', url: 'http://db' },
    ],
    ['vector-dbs delete 9', 'DELETE', `${v}/9`],
    ['vector-dbs delete 9 --force', 'DELETE', `${v}/9?force=true`],
    ['vector-dbs residency list 9', 'GET', `${v}/9/residency-policies`],
    ['vector-dbs residency set 9 eu', 'POST', `${v}/9/residency-policies`, { region: 'eu' }],
    [
      'vector-dbs residency set 9 eu --classification restricted --mode block --active false',
      'POST',
      `${v}/9/residency-policies`,
      { region: 'eu', data_classification: 'restricted', enforcement_mode: 'block', active: false },
    ],
    [
      'vector-dbs attachments list 9 --status active --limit 2 --cursor c',
      'GET',
      `${v}/9/attachments?status=active&limit=2&cursor=c`,
    ],
    [
      `vector-dbs attachments create 9 --type corpus --ref c1 --policy 3 --binding b1 --metadata '{"a":1}'`,
      'POST',
      `${v}/9/attachments`,
      {
        attachment_type: 'corpus',
        attachment_ref: 'c1',
        residency_policy_id: 3,
        provider_key_binding_id: 'b1',
        metadata: { a: 1 },
      },
    ],
    [
      `vector-dbs attachments detach 9 a1 --reason 'Rolled credential'`,
      'PATCH',
      `${v}/9/attachments/a1`,
      { reason: 'Rolled credential' },
    ],
    [`vector-dbs attachments detach 9 a1 --reason '  '`, 'PATCH', `${v}/9/attachments/a1`, {}],
    ['vector-dbs incidents list 9 --status open', 'GET', `${v}/9/incidents?status=open`],
    [
      `vector-dbs incidents log 9 --type residency_breach --severity high --attachment a1 --summary s --notes '[1]'`,
      'POST',
      `${v}/9/incidents`,
      { incident_type: 'residency_breach', severity: 'high', attachment_id: 'a1', summary: 's', notes: [1] },
    ],
    [
      `vector-dbs incidents resolve 9 i1 --summary Done --notes '{"by":"me"}'`,
      'PATCH',
      `${v}/9/incidents/i1`,
      { resolution_summary: 'Done', resolution_notes: { by: 'me' } },
    ],
    ['keys list p1', 'GET', k],
    ['keys revoke p1 k1', 'POST', `${k}/k1/revocations`, { mark_compromised: false }],
    [
      'keys revoke p1 k1 --reason leaked --compromised',
      'POST',
      `${k}/k1/revocations`,
      { reason: 'leaked', mark_compromised: true },
    ],
    [
      'keys bind p1 k1 --type vector_db --target t1',
      'POST',
      `${k}/k1/bindings`,
      { binding_type: 'vector_db', binding_target_id: 't1' },
    ],
    [
      `keys bind p1 k1 --type vector_db --target t1 --context '{}'`,
      'POST',
      `${k}/k1/bindings`,
      { binding_type: 'vector_db', binding_target_id: 't1' },
    ],
    [
      `keys bind p1 k1 --type vector_db --target t1 --context '{"a":"*"}'`,
      'POST',
      `${k}/k1/bindings`,
      { binding_type: 'vector_db', binding_target_id: 't1', additional_context: { a: '*' } },
    ],
    ['keys unbind p1 k1 b1 --reason moved', 'POST', `${k}/k1/bindings/b1/revoke`, { reason: 'moved' }],
    ['keys bindings p1 k1', 'GET', `${k}/k1/bindings`],
    [
      'keys audit p1 --key-id k1 --state retired --start 2026-01-01T00:00:00Z --limit 5',
      'GET',
      `${k}/audit?key_id=k1&state=retired&start=2026-01-01T00%3A00%3A00Z&limit=5`,
    ],
    [
      'keys approve-rotation p1 r1 --key-id k1 --evidence urn:x',
      'POST',
      `${k}/k1/rotations/r1/approve`,
      { evidence_uri: 'urn:x' },
    ],
    [
      'keys reject-rotation p1 r1 --key-id k1 --reason late',
      'POST',
      `${k}/k1/rotations/r1/reject`,
      { failure_reason: 'late' },
    ],
    [
      'residency pin acme eu --reason contract',
      'PATCH',
      '/v1/admin/tenants/acme/config',
      { region: 'eu', reason: 'contract' },
    ],
    [
      `residency pin acme '' --reason free --force --expected-version 4`,
      'PATCH',
      '/v1/admin/tenants/acme/config',
      { region: '', reason: 'free', force_region_pin: true, expected_version: 4 },
    ],
    ['residency status', 'GET', '/v1/ops/residency'],
    ['receipts get 01JB', 'GET', '/v1/receipts/01JB'],
    ['receipts replay 01JB', 'POST', '/v1/receipts/01JB/replay', {}],
  ])('%s', async (line, method, path, ...[body]) => {
    expect([await mcpctl(words(line)), err]).toEqual([0, '']);
    expect(server.requests.map((request) => [request.method, request.path])).toEqual([[method, path]]);
    if (body === undefined) expect(server.requests[0]?.text).toBe('');
    else expect(server.requests[0]?.body).toEqual(body);
  });

  it('attest a key by the digest of a file, and sign it with that file or another one', async () => {
    const attestation = file('attestation.json', '{"hsm":1}');
    const signature = file('attestation.sig', 'signed');
    await mcpctl(['keys', 'register', 'p1', '--attestation', attestation, '--alias', 'main']);
    await mcpctl([
      'keys',
      'rotate',
      'p1',
      'k1',
      '--attestation',
      attestation,
      '--signature',
      signature,
      '--actor-ref',
      'jo',
    ]);
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual([
      [k, { alias: 'main', attestation_digest: digest('{"hsm":1}'), attestation_signature: base64('{"hsm":1}') }],
      [
        `${k}/k1/rotations`,
        {
          attestation_digest: digest('{"hsm":1}'),
          attestation_signature: base64('signed'),
          request_actor_ref: 'jo',
        },
      ],
    ]);
    expect(await mcpctl(['keys', 'register', 'p1', '--attestation', join(folder, 'nowhere')])).toBe(1);
    expect(err).toMatch(/^Error: The attestation cannot be read: ENOENT/);
  });

  it('look for the key of a rotation that waits', async () => {
    answering([
      { id: 'k1', state: 'active' },
      { id: 'k2', state: 'rotating' },
      { id: 'k3', state: 'rotating' },
    ]);
    answering({ id: 'k2', rotations: [{ id: 'other' }] });
    answering({ id: 'k3', rotations: [{ id: 'r1' }] });
    answering({ id: 'r1', status: 'approved', requested_at: 't', request_actor_ref: 'jo' });
    expect(await mcpctl(['keys', 'approve-rotation', 'p1', 'r1'])).toBe(0);
    expect(server.requests.map(({ path }) => path)).toEqual([k, `${k}/k2`, `${k}/k3`, `${k}/k3/rotations/r1/approve`]);
    expect(out).toBe(
      'Rotation ID Status   Requested Actor\n----------- -------- --------- -----\nr1          approved t         jo\n',
    );
    answering({ keys: 'none' });
    expect(await mcpctl(['keys', 'approve-rotation', 'p1', 'r1'])).toBe(1);
    expect(err).toBe('Error: The server does not answer as the API does.\n');
    err = '';
    answering([{ id: 'k1', state: 'active' }]);
    expect(await mcpctl(['keys', 'reject-rotation', 'p1', 'r1', '--reason', 'late'])).toBe(1);
    expect(err).toBe('Error: No key of the provider waits for the rotation r1.\n');
  });
});

describe('the tables', () => {
  it('have a header, dashes, and cells to the left, one blank apart', async () => {
    answering([
      { id: 'k1', alias: 'main', state: 'active', rotation_due_at: null, activated_at: '2026-01-01T00:00:00Z' },
      { id: 'key-2', alias: null, state: 'retired', rotation_due_at: null },
    ]);
    await mcpctl(['keys', 'list', 'p1']);
    expect(out).toBe(
      [
        'Key ID Alias State   Rotation Due Activated',
        '------ ----- ------- ------------ --------------------',
        'k1     main  active  -            2026-01-01T00:00:00Z',
        'key-2  -     retired -            -',
        '',
      ].join('\n'),
    );
  });

  it('write lists with commas, objects as JSON in order, and nothing that moves the cursor', async () => {
    answering({ zone: 'eu\u001b[2J', pinned_tenants: ['a', { z: 1, b: 'é' }], mismatch_total: 0, fail_open_total: [] });
    await mcpctl(['residency', 'status']);
    expect(out.split('\n')[2]).toBe('eu [2J a, {"b":"é","z":1} 0');
  });

  it.each([
    ['detach', {}, '(not provided)'],
    ['detach', { detached_reason: 'Detached by operator' }, 'Detached by operator'],
  ])('of %s show the reason as it is kept: %j', async (_command, row, reason) => {
    answering({ id: 'a1', vector_db_id: 9, detached_at: 't', ...row });
    await mcpctl(['vector-dbs', 'attachments', 'detach', '9', 'a1']);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^attachment_id vector_db_id detached_at reason$/),
      expect.stringMatching(/^-{13} -{12} -{11} -+$/),
      `a1            9            t           ${reason}`,
      '',
    ]);
  });

  it('say where the next page is', async () => {
    server.next((response) => sendJson(response, 200, { data: [], meta: { page: { next_cursor: 'c2' } } }));
    await mcpctl(['vector-dbs', 'incidents', 'list', '9']);
    expect(err).toBe('There are more: repeat with --cursor c2\n');
  });

  it('warn of what a pin leaves outside', async () => {
    answering({ tenant_id: 'acme', config: { region: 'eu' }, version: 2, updated_at: 't', warnings: [{}, {}] });
    expect(await mcpctl(['residency', 'pin', 'acme', 'eu', '--reason', 'contract'])).toBe(0);
    expect(out).toBe('Tenant Region Version Updated\n------ ------ ------- -------\nacme   eu     2       t\n');
    expect(err).toMatch(/^Warning: 2 attachments are outside the region now/);
  });
});

describe('18 case 22: incidents resolve', () => {
  const resolve = ['vector-dbs', 'incidents', 'resolve', '9', 'inc-2'];

  it('without flags ends with 1, says why, and calls nobody', async () => {
    expect(await mcpctl(resolve)).toBe(1);
    expect(err).toBe('Error: No resolution fields supplied; provide --summary and/or --notes\n');
    expect(server.requests).toEqual([]);
  });

  it('refuses notes that are no JSON before it calls anybody', async () => {
    expect(await mcpctl([...resolve, '--notes', '{oops'])).toBe(1);
    expect(err).toMatch(/^Error: Invalid JSON payload for --notes: /);
    expect(server.requests).toEqual([]);
  });

  it('prints with --json the answer with its keys in order, two blanks a level', async () => {
    answering({ severity: 'high', id: 'inc-2', notes: { z: [{ b: 1, a: null }], a: {} } });
    expect(await mcpctl([...resolve, '--summary', 'done', '--json'])).toBe(0);
    expect(out).toBe(
      [
        '{',
        '  "id": "inc-2",',
        '  "notes": {',
        '    "a": {},',
        '    "z": [',
        '      {',
        '        "a": null,',
        '        "b": 1',
        '      }',
        '    ]',
        '  },',
        '  "severity": "high"',
        '}',
        '',
      ].join('\n'),
    );
  });

  it('prints a table without it', async () => {
    answering({ id: 'inc-2', resolved_at: 't', summary: 'done' });
    await mcpctl([...resolve, '--summary', 'done']);
    expect(out).toBe(
      'incident_id status   resolved_at summary\n----------- -------- ----------- -------\ninc-2       resolved t           done\n',
    );
  });

  it('ends with 4 when the API refuses it, and says so on the error output only', async () => {
    const error = { code: 'INCIDENT_ALREADY_RESOLVED', message: 'Incident already resolved' };
    server.next((response) => sendJson(response, 409, { error, meta: {} }));
    expect([await mcpctl([...resolve, '--summary', 'again']), out, err]).toEqual([
      4,
      '',
      'API error during incidents resolve: Incident already resolved\n',
    ]);
  });
});

describe('exit codes', () => {
  it.each([
    [404, 'text', 4, 'API error (404): no such provider\n'],
    [500, 'json', 5, 'API error (500): Broken.\nDetails: {"a":1,"b":2}\nRequest: r1\n'],
    [
      401,
      'json',
      4,
      'API error (401): Broken.\nDetails: {"a":1,"b":2}\nGive an API key with --token-file, MCP_HOST_TOKEN or --profile.\n',
    ],
  ])('of an answer %i in %s', async (status, kind, code, said) => {
    server.next((response) =>
      kind === 'text'
        ? response.writeHead(status, { 'Content-Type': 'text/plain' }).end('no such provider')
        : sendJson(response, status, {
            error: { code: 'X', message: 'Broken.', details: { b: 2, a: 1 } },
            meta: { request_id: 'r1' },
          }),
    );
    expect([await mcpctl(['keys', 'list', 'p1']), out, err]).toEqual([code, '', said]);
  });

  it('of a refusal show nothing that moves the cursor', async () => {
    const error = { code: 'X', message: 'Broken.', details: { name: '\u009b2J\u202etxt' } };
    server.next((response) => sendJson(response, 409, { error, meta: {} }));
    await mcpctl(['keys', 'list', 'p1']);
    expect(err).toBe('API error (409): Broken.\nDetails: {"name":" 2J txt"}\n');
  });

  it('of a redirect to nowhere is that of a refusal; 1 for a file of more than 4 MiB', async () => {
    server.next((response) => response.writeHead(307, { Location: 'http://[' }).end('moved'));
    expect(await mcpctl(['keys', 'list', 'p1'])).toBe(4);
    const large = file('large', 'x'.repeat(4 * 1024 * 1024 + 1));
    expect(await mcpctl(['keys', 'register', 'p1', '--attestation', large])).toBe(1);
    expect(err).toBe('API error (307): moved\nError: The attestation cannot be read: it has more than 4194304 bytes\n');
  });

  it.each([
    ['vector-dbs attachments detach 9', /^Error: missing required argument 'attachment_id'/],
    ['vector-dbs incidents resolve .. i1 --summary s', /^Error: <vector_db_id> is not an id/],
    ['keys audit p1 --limit 501', /^Error: --limit must be at most 500/],
    ['keys rotate p1 k1 --attestation f', /^Error: required option '--actor-ref/],
    ['vector-dbs residency set 9 eu --active maybe', /^Error: --active must be true or false/],
    ['keys forget p1', /^Error: unknown command 'forget'/],
    ['--timeout soon vector-dbs list', /^Error: --timeout must be a number of seconds up to 3600\./],
  ])('2 for a fault of usage: %s', async (line, message) => {
    expect(await mcpctl(words(line))).toBe(2);
    expect(err).toMatch(message);
    expect([out, server.requests]).toEqual(['', []]);
  });

  it.each([
    [{ valid: true, outcome_valid: true, outcome_reason: 'ok', chain_valid: null }, 0],
    [{ valid: true, outcome_reason: null, chain_valid: null }, 0],
    [{ valid: true, outcome_valid: null, outcome_reason: 'no_signature', chain_valid: true }, 1],
    [{ valid: true, outcome_valid: false, outcome_reason: 'signature_mismatch', chain_valid: true }, 1],
    [{ valid: true, outcome_valid: true, outcome_reason: 'ok', chain_valid: false }, 1],
    [{ valid: true, outcome_reason: null, chain_valid: true, checks: { columns_match: false } }, 1],
    [{ valid: null, reason: 'no_signature' }, 1],
    [{ valid: false, reason: 'signature_mismatch' }, 1],
  ])('of a verified receipt: %j', async (verdict, code) => {
    answering(verdict);
    expect(await mcpctl(['receipts', 'verify', '01JB'])).toBe(code);
  });

  it('0 for help', async () => {
    expect(await mcpctl(['vector-dbs', '--help'])).toBe(0);
    expect(out).toContain('incidents');
  });
});

describe('the connection', () => {
  const sent = () => server.requests.at(-1)?.headers.authorization;
  const list = ['vector-dbs', 'list'];

  it('is that of the options, before that of the environment', async () => {
    await mcpctl(list, { MCP_HOST_URL: server.url, MCP_HOST_TOKEN: 'of-environment' });
    expect(sent()).toBe('Bearer of-environment');
    const line = ['--host', server.url, '--token-file', file('token', 'of-file\n'), '--timeout', '2.5', ...list];
    expect(await mcpctl(line, { MCP_HOST_URL: 'http://127.0.0.1:1', MCP_HOST_TOKEN: 'of-environment' })).toBe(0);
    expect(sent()).toBe('Bearer of-file');
    await mcpctl([...list, '--token', 'of-option']);
    expect(sent()).toBe('Bearer of-option');
  });

  // The token of one installation must not reach another one.
  it('of a profile takes nothing from the environment', async () => {
    mkdirSync(join(folder, 'mcpctl'), { recursive: true });
    file('mcpctl/eu.token', 'of-profile\n');
    file(
      'mcpctl/config.yaml',
      `profiles:\n  eu: {host: ${server.url}, token_file: eu.token}\n  bare: {host: ${server.url}}\n`,
    );
    const env = { MCP_HOST_URL: 'http://127.0.0.1:1', MCP_HOST_TOKEN: 'of-environment' };
    expect(await mcpctl(['--profile', 'eu', ...list], env)).toBe(0);
    expect(sent()).toBe('Bearer of-profile');
    expect(await mcpctl(['--profile', 'bare', ...list], env)).toBe(0);
    expect(sent()).toBeUndefined();
    expect(await mcpctl(['--profile', 'us', ...list], env)).toBe(1);
    expect(err).toMatch(/has no profile us, but eu, bare\.$/m);
  });

  it.each([
    [['--host', 'ftp://x'], 'The host must be a URL such as https://rag.example.com.'],
    [['--host', 'http://user:hunter2@x'], 'The host must not hold a password.'],
    [['--token', 'a b'], 'The token is empty, or has blanks or line breaks inside.'],
    [['--token-file', '/nowhere/at/all'], 'The file of the token cannot be read: ENOENT'],
  ])('%j is refused', async (options, message) => {
    expect(await mcpctl([...options, ...list])).toBe(1);
    expect(err).toContain(`Error: ${message}`);
    expect(err).not.toContain('hunter2');
    expect(server.requests).toEqual([]);
  });
});

describe('keys watch', () => {
  const frame = (id: number) =>
    `id: ${id}\ndata: ${JSON.stringify({ event: { id, event_type: 'retired', occurred_at: 't' } })}\n\n`;

  it('shows events as they come, over connections that end, until there are enough', async () => {
    server.next(
      (response) => response.end(`retry: 1\n\n: heartbeat\n\n${frame(1)}`),
      (response) => response.write(frame(2) + frame(3)),
    );
    expect(await mcpctl(['keys', 'watch', 'p1', '--after', '0', '--limit', '2'])).toBe(0);
    expect(out).toBe(
      'Event ID Key ID Type    Occurred State\n-------- ------ ------- -------- -----\n1        -      retired t        -\n2        -      retired t        -\n',
    );
    expect(server.requests.map(({ path, headers }) => [path, headers['last-event-id']])).toEqual([
      ['/v1/providers/p1/keys/stream', '0'],
      ['/v1/providers/p1/keys/stream', '1'],
    ]);
    expect(err).toBe('The connection ended; the next one follows in 0.001 s.\n');
  });

  it('ends with 1 when the feed is none', async () => {
    server.next((response) => response.end('id: 1\ndata: {oops\n\n'));
    expect(await mcpctl(['keys', 'watch', 'p1'])).toBe(1);
    expect(err).toBe('Error: The server does not answer as the API does.\n');
  });
});
