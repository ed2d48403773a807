import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runMcpctl } from '../../../src/cli/mcpctl/program.js';
import { loadSettings } from '../../../src/kernel/settings.js';
import { SystemClock } from '../../../src/kernel/time.js';
import { apiClientSettings } from '../../../src/platform/api-client/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { KEYS } from '../receipts/witness.js';

type Json = Record<string, unknown>;

let app: TestApp;
let owner: Actor;
let folder: string;
beforeAll(async () => {
  app = await TestApp.start({
    STATEWAVE_REGION: 'eu',
    PLATFORM_OPERATOR_TENANTS: '*',
    STATEWAVE_RECEIPT_SIGNING_KEYS: JSON.stringify(KEYS),
    RECEIPT_DEFAULT_SIGNING_KEY_ID: 'k-1',
  });
  owner = await app.actor('admin');
  folder = mkdtempSync(join(tmpdir(), 'mcpctl-'));
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

async function mcpctl(as: Actor, ...line: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const env = { MCP_HOST_URL: app.url, MCP_HOST_TOKEN: as.token };
  const code = await runMcpctl(line, {
    version: '0',
    output: { out: (text) => (out += `${text}\n`), err: (text) => (err += `${text}\n`) },
    clock: new SystemClock(),
    configFolder: folder,
    settings: () => loadSettings(env, [apiClientSettings]).get(apiClientSettings),
  });
  return { code, out, err };
}

/** What the owner's command answers with. */
async function json<T = Json>(...line: string[]): Promise<T> {
  const { code, out, err } = await mcpctl(owner, ...line, '--json');
  expect([line, code, err]).toEqual([line, 0, '']);
  return JSON.parse(out) as T;
}

function file(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, name);
  return path;
}

describe('mcpctl', () => {
  const provider = randomUUID();
  let db: string;
  let key: string;
  let binding: string;
  let attachment: string;

  it('registers a vector database and says where its data may be', async () => {
    const created = await json('vector-dbs', 'create', 'governed', '--region', 'eu');
    db = String(created['id']);
    expect(await json<Json[]>('vector-dbs', 'list')).toEqual([expect.objectContaining({ id: created['id'] })]);
    await json('vector-dbs', 'residency', 'set', db, 'eu', '--mode', 'block', '--active', 'false');
    const policy = await json('vector-dbs', 'residency', 'set', db, 'eu', '--active', 'true');
    expect(policy).toMatchObject({ region: 'eu', enforcement_mode: 'block', active: true });
    expect(await json('vector-dbs', 'residency', 'list', db)).toEqual([policy]);
    const registered = await json('keys', 'register', provider, '--attestation', file('one'), '--alias', 'main');
    key = registered['id'] as string;
    expect(registered).toMatchObject({ alias: 'main', state: 'active', attestation_signature_registered: true });
    const bound = await json(
      'keys',
      'bind',
      provider,
      key,
      '--type',
      'vector_db',
      '--target',
      created['uid'] as string,
    );
    binding = bound['id'] as string;
    const line = ['vector-dbs', 'attachments', 'create', db, '--type', 'semantic', '--ref', randomUUID()];
    const attached = await json(
      ...line,
      '--policy',
      String(policy['id']),
      '--binding',
      binding,
      '--metadata',
      '{"a":1}',
    );
    attachment = attached['id'] as string;
    expect(attached).toMatchObject({ provider_key_id: key, detached_at: null, metadata: { a: 1 } });
  });

  it('rotates a key with a second pair of eyes, and finds the key of a rotation by itself', async () => {
    const due = '2099-01-01T00:00:00.000Z';
    const rotate = ['keys', 'rotate', provider, key, '--attestation', file('two'), '--signature', file('two.sig')];
    const { id } = await json(...rotate, '--actor-ref', 'owner');
    const approve = ['keys', 'approve-rotation', provider, id as string, '--rotation-due', due];
    expect(await mcpctl(owner, ...approve)).toMatchObject({
      code: 4,
      err: expect.stringMatching(/^API error \(403\): /),
    });
    const second = await app.actor('admin', owner.tenantId);
    expect(await mcpctl(second, ...approve)).toMatchObject({ code: 0, out: expect.stringContaining('approved') });
    expect(await json('keys', 'list', provider)).toMatchObject([{ id: key, state: 'active', rotation_due_at: due }]);
    expect(await json('vector-dbs', 'attachments', 'list', db)).toMatchObject([{ provider_key_rotation_due_at: due }]);
    const again = await json(...rotate, '--actor-ref', 'owner');
    const reject = ['keys', 'reject-rotation', provider, again['id'] as string, '--reason', 'too early'];
    expect(await json(...reject)).toMatchObject({ status: 'failed', failure_reason: 'too early' });
  });

  it('logs, lists and resolves incidents', async () => {
    const log = ['vector-dbs', 'incidents', 'log', db, '--type', 'residency_breach'];
    const { id } = await json(...log, '--attachment', attachment, '--notes', '{"seen":"us"}', '--summary', 'A copy');
    await json(...log);
    const first = await mcpctl(owner, 'vector-dbs', 'incidents', 'list', db, '--status', 'open', '--limit', '1');
    const cursor = /^There are more: repeat with --cursor (\S+)$/m.exec(first.err)?.[1] ?? '';
    expect(await json('vector-dbs', 'incidents', 'list', db, '--cursor', cursor)).toMatchObject([{ id }]);
    const resolve = ['vector-dbs', 'incidents', 'resolve', db, id as string, '--summary', 'Replica deleted'];
    expect(await json(...resolve)).toMatchObject({ summary: 'Replica deleted', notes: { seen: 'us' } });
    expect(await mcpctl(owner, ...resolve)).toEqual({
      code: 4,
      out: '',
      err: 'API error during incidents resolve: Incident already resolved\n',
    });
  });

  it('detaches, unbinds and revokes', async () => {
    const detach = ['vector-dbs', 'attachments', 'detach', db, attachment, '--reason', 'Rolled credential'];
    const { out } = await mcpctl(owner, ...detach);
    expect(out.split('\n')[2]).toMatch(new RegExp(`^${attachment} ${db} +\\S+Z +Rolled credential$`));
    expect((await mcpctl(owner, ...detach)).err).toMatch(/^API error during attachments detach: Attachment already/);
    expect(await json('keys', 'unbind', provider, key, binding)).toMatchObject({ revoked_at: expect.any(String) });
    expect(await json('keys', 'bindings', provider, key)).toHaveLength(1);
    const revoked = await json('keys', 'revoke', provider, key, '--reason', 'leaked', '--compromised');
    expect(revoked).toMatchObject({ state: 'compromised' });
    await json('vector-dbs', 'delete', db, '--force');
    expect(await mcpctl(owner, 'vector-dbs', 'residency', 'list', db)).toMatchObject({
      code: 4,
      err: 'API error during residency list: Vector DB not found\n',
    });
  });

  it('shows the ledger of the keys, also as a feed', async () => {
    const audited = await json<{ event: { id: number; event_type: string } }[]>('keys', 'audit', provider);
    const ids = audited.map(({ event }) => event.id).reverse();
    expect(audited.at(-1)?.event.event_type).toBe('registered');
    const watch = await mcpctl(owner, 'keys', 'watch', provider, '--after', String(ids[0]), '--limit', '3');
    expect(watch).toMatchObject({ code: 0, err: '' });
    const watched = watch.out.split('\n').slice(2, -1);
    expect(watched.map((line) => Number(line.split(' ')[0]))).toEqual(ids.slice(1, 4));
  });

  it('pins a tenant and shows who is pinned where', async () => {
    const pin = ['residency', 'pin', 'acme'];
    const first = await json(...pin, 'eu', '--reason', 'contract', '--expected-version', '0');
    expect(first).toMatchObject({ tenant_id: 'acme', config: { region: 'eu' }, version: 1 });
    const { code, out, err } = await mcpctl(owner, ...pin, 'eu', '--reason', 'again', '--expected-version', '1');
    expect([code, err, out.split('\n')[2]]).toEqual([0, '', expect.stringMatching(/^acme +eu +2 +\S+Z$/)]);
    expect(await json('residency', 'status')).toMatchObject({
      zone: 'eu',
      pinned_tenants: [{ region: 'eu', tenants: 1 }],
      mismatch_total: 0,
      fail_open_total: 0,
    });
    expect(await mcpctl(owner, ...pin, 'us', '--reason', 'moved')).toMatchObject({
      code: 4,
      err: expect.stringMatching(/^API error \(422\): this server is running in region 'eu'/),
    });
    expect(await json(...pin, 'us', '--reason', 'moved', '--force')).toMatchObject({ config: { region: 'us' } });
    expect(await json(...pin, '', '--reason', 'free')).toMatchObject({ config: {}, version: 4 });
    expect((await mcpctl(owner, 'residency', 'status')).out.split('\n')[2]).toMatch(/^eu +(-|) *0 +0$/);
  });

  it('shows, verifies and replays the receipt of an answer', async () => {
    await owner.post('/v1/corpora', { id: 'c', name: 'C' }).expect(201);
    const question = { session_id: 's', corpus_id: 'c', message: 'Hello?', stream: false };
    const { receipt_id: id } = (await owner.post('/v1/run', question).expect(200)).body.data as { receipt_id: string };
    expect(await json('receipts', 'get', id)).toMatchObject({ receipt_id: id, region: 'eu', corpus_id: 'c' });
    const shown = await mcpctl(owner, 'receipts', 'get', id);
    expect(shown.out.split('\n')[2]).toMatch(new RegExp(`^${id} +\\S+ +\\S+Z +c +0 +eu +k-1 +active$`));
    expect(await json('receipts', 'verify', id)).toMatchObject({ valid: true, reason: 'ok', outcome_reason: 'ok' });
    const verified = await mcpctl(owner, 'receipts', 'verify', id);
    expect([verified.code, verified.out.split('\n')[2]]).toEqual([0, expect.stringMatching(/^true +ok +k-1 +\S+ +ok/)]);
    const replay = await json<{ replay_receipt_id: string; diff: Json }>('receipts', 'replay', id);
    expect(replay.diff).toMatchObject({ drift_class: 'none', context_hash: { changed: false } });
    const again = await mcpctl(owner, 'receipts', 'replay', id);
    expect(again.out.split('\n')[2]).toMatch(new RegExp(`^${id} +\\S{26} +false +0 +0 +0 +none$`));
    expect(await mcpctl(owner, 'receipts', 'get', 'unknown')).toMatchObject({
      code: 4,
      err: 'API error (404): receipt not found\n',
    });
  });

  it('tells faults of usage, of arguments that the API refuses, and of the caller apart', async () => {
    expect((await mcpctl(owner, 'keys', 'list')).code).toBe(2);
    const refused = await mcpctl(owner, 'keys', 'list', 'no-uuid');
    expect(refused).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringMatching(/^API error \(422\): .*provider_id/),
    });
    const stranger = { ...owner, token: 'nrgk_nobody' };
    expect(await mcpctl(stranger, 'vector-dbs', 'list')).toMatchObject({
      code: 4,
      err: expect.stringContaining('Give an API key with --token-file'),
    });
  });
});
