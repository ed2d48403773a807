import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../harness/eventually.js';
import { EmbeddedServer, NODE, Program } from '../harness/process.js';

/** A runbook whose commands fail is found out at night, by somebody with a tenant half moved. */
const BLOCKS = [...readFileSync('docs/runbooks/move-a-tenant.md', 'utf8').matchAll(/```bash\n([\s\S]*?)```/g)].map(
  ([, block = '']) => block,
);
const [KEYS = '', EXPORT = '', IMPORT = '', PIN = '', VERIFY = '', PURGE = ''] = BLOCKS;

/** Two installations start, and the program nine times. */
const PATIENCE_MS = 400_000;

let folder: string;
let eu: EmbeddedServer | undefined;
let us: EmbeddedServer | undefined;
const env: Record<string, string> = {};

/** Runs shell text in a folder, with the program under its name. */
async function shell(script: string, cwd: string): Promise<string> {
  const cli = `nexusrag() { '${NODE}' '${process.cwd()}/dist/src/cli.js' "$@"; }`;
  const functions = EXPORT.split('\n').filter((line) => /^(field|ended)\(\)/.test(line));
  const text = [`cd '${cwd}'`, cli, ...functions, script].join('\n');
  const { code, stdout, stderr } = await Program.run(['bash', '-euo', 'pipefail', '-c', text], env);
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${stdout} ${stderr}`);
  return stdout;
}

async function key(
  server: EmbeddedServer | undefined,
  tenant: string,
  ...more: string[]
): Promise<Record<string, string>> {
  if (server === undefined) throw new Error('The server did not start.');
  const created = await server.cli(
    'keys',
    'create',
    '--tenant',
    tenant,
    '--role',
    'admin',
    '--name',
    'k',
    '--json',
    ...more,
  );
  if (created.code !== 0) throw new Error(created.stderr);
  return JSON.parse(created.stdout) as Record<string, string>;
}

async function api(url: string, token: string, body?: object): Promise<{ data: Record<string, string> }> {
  const response = await fetch(url, {
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await response.json()) as { data: Record<string, string> };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nexusrag-runbook-'));
  const made: Record<string, { secret: string; publicKey: string }> = {};
  for (const region of ['eu', 'us']) {
    const publicKey = (await shell(KEYS, folder)).trim();
    made[region] = { secret: readFileSync(join(folder, 'region.secret'), 'utf8').trim(), publicKey };
  }
  const start = (region: string, other: string): Promise<EmbeddedServer> =>
    EmbeddedServer.start({
      RATE_LIMIT_ENABLED: 'false',
      STATEWAVE_REGION: region,
      RESIDENCY_PRIVATE_KEY: made[region]?.secret ?? '',
      RESIDENCY_PEER_PUBLIC_KEYS_JSON: JSON.stringify({ [other]: made[other]?.publicKey }),
      PLATFORM_OPERATOR_TENANTS: 'operators',
    });
  eu = await start('eu', 'us');
  us = await start('us', 'eu');
  const acme = await key(eu, 'acme');
  Object.assign(env, {
    EU: `http://localhost:${eu.port}`,
    US: `http://localhost:${us.port}`,
    EU_KEY: (await key(eu, 'operators'))['token'],
    EU_KEY2: (await key(eu, 'operators'))['token'],
    US_KEY: (await key(us, 'operators'))['token'],
    ACME_KEY_IN_EU: acme['token'],
    ACME_USER: acme['user_id'],
  });
  const token = acme['token'] ?? '';
  env['CORPUS'] = (await api(`${env['EU']}/v1/corpora`, token, { name: 'Harbour' })).data['id'] ?? '';
  const text = 'The lighthouse was built in 1901.';
  await api(`${env['EU']}/v1/documents/text`, token, { corpus_id: env['CORPUS'], document_id: 'light', text });
  await eventually(async () => {
    const { data } = await api(`${env['EU']}/v1/documents/light`, token);
    expect(data['status']).toBe('succeeded');
  }, PATIENCE_MS);
}, PATIENCE_MS);
afterAll(async () => {
  await eu?.discard();
  await us?.discard();
  rmSync(folder, { recursive: true, force: true });
});

describe('docs/runbooks/move-a-tenant.md', () => {
  it(
    'moves a tenant between two installations',
    async () => {
      expect(await shell(EXPORT, folder)).toBe('succeeded\n');
      expect(await shell(IMPORT, folder)).toMatch(/documents: \{ rows: 1, present: 0[\s\S]*\}\nsucceeded\n0\n$/);
      const [inUs, inEu] = (await shell(PIN.replaceAll(/^curl/gm, 'echo; curl'), folder)).trim().split('\n');
      expect(JSON.parse(inUs ?? '').data.config).toEqual({ region: 'us' });
      expect(JSON.parse(inEu ?? '').data.config).toEqual({ region: 'us' });
      env['ACME_KEY_IN_US'] = (await key(us, 'acme', '--user-id', env['ACME_USER'] ?? ''))['token'] ?? '';

      const [refused = '', found = ''] = (await shell(VERIFY, folder)).trim().split('\n');
      expect(JSON.parse(refused).error).toMatchObject({ code: 'residency.mismatch', details: { region: 'us' } });
      expect(JSON.parse(found).data.items[0].text).toContain('1901');

      const [purged, stillRefused = ''] = (await shell(PURGE, folder)).trim().split('\n').slice(-2);
      expect(purged).toBe('succeeded');
      expect(JSON.parse(stillRefused).error.code).toBe('residency.mismatch');
      const again = await shell(VERIFY, folder);
      expect(again).toContain('1901');
    },
    PATIENCE_MS,
  );
});
