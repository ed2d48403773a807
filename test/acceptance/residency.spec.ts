import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedServer, NODE, Program } from '../harness/process.js';

/** Two regions as two API processes, each with a database of its own, and the commands of the operator's guide. */
const SEED = 'https://eu.api.statewave.dev';
/** Several starts on a small machine. */
const STARTS_MS = 300_000;

interface Answer {
  readonly server: string;
  readonly status: number;
  readonly text: string;
  readonly headers: string;
}

let eu: EmbeddedServer;
let us: EmbeddedServer;
/** Everything that any of the processes answered. */
const answers: Answer[] = [];

beforeAll(async () => {
  [eu, us] = [await start('eu'), await start('us')];
}, STARTS_MS);
afterAll(() => Promise.all([eu.discard(), us.discard()]));

function start(region: string, dataDir?: string): Promise<EmbeddedServer> {
  const zone: Record<string, string> = region === '' ? {} : { STATEWAVE_REGION: region };
  return EmbeddedServer.start({ RATE_LIMIT_ENABLED: 'false', REGION_ID: `${region}-site`, ...zone }, dataDir);
}

/** A command as it is written, sent to this server and with a key of its operator. */
async function curl(region: string, server: EmbeddedServer, command: string): Promise<Answer> {
  const here = command
    .replace(SEED, 'http://localhost:8000')
    .replace('curl ', 'curl -si -H "Authorization: Bearer $API_KEY" ');
  const { stdout } = await server.shell(here);
  const [headers = '', ...body] = stdout.split('\r\n\r\n');
  return kept({ server: region, status: Number(/^HTTP\S* (\d+)/.exec(headers)?.[1]), text: body.join('\n'), headers });
}

async function call(
  region: string,
  { port }: EmbeddedServer,
  token: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  return kept({ server: region, status: response.status, text: await response.text(), headers });
}

function kept(answer: Answer): Answer {
  answers.push(answer);
  return answer;
}

async function keyOf(server: EmbeddedServer, tenant: string): Promise<string> {
  const { stdout } = await server.cli('keys', 'create', '--tenant', tenant, '--role', 'admin', '--name', tenant);
  return /nrgk_\w+_[\w-]{43}/.exec(stdout)?.[0] ?? '';
}

const json = ({ text }: Answer): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
const patch = (tenant: string, body: string): string =>
  `curl -X PATCH ${SEED}/admin/tenants/${tenant}/config -H 'Content-Type: application/json' -d '${body}'`;

describe('two regions', () => {
  it('pin a tenant where it is served, with the command of the seed', async () => {
    const pinned = await curl('eu', eu, patch('acme-eu', '{"region": "eu"}'));
    expect([pinned.status, json(pinned)]).toEqual([
      200,
      expect.objectContaining({ tenant_id: 'acme-eu', config: { region: 'eu' }, version: 1 }),
    ]);
    expect((await call('eu', eu, await keyOf(eu, 'acme-eu'), '/v1/corpora')).status).toBe(200);
  });

  it('refuse a pin that would lock the tenant out, to the letter', async () => {
    const refused = await curl('eu', eu, patch('acme-eu', '{"region": "us"}'));
    expect(refused.status).toBe(422);
    expect(json(refused)['error']).toEqual({
      code: 'residency.invalid_pin',
      message:
        "this server is running in region 'eu'; pinning a tenant to 'us' from here would lock the tenant out (every subsequent request would 403). Patch the pin from a server running in the target region, or set STATEWAVE_REGION to match if this server should serve it.",
    });
  });

  it('refuse what is misrouted, to the letter, on every kind of route', async () => {
    const forced = await curl('us', us, patch('acme-eu', '{"region": "eu", "force_region_pin": true}'));
    expect([forced.status, json(forced)['config']]).toEqual([200, { region: 'eu' }]);
    const token = await keyOf(us, 'acme-eu');
    const question = { session_id: 's', corpus_id: 'c', message: 'Hello?' };
    for (const [path, body] of [
      ['/v1/corpora'],
      ['/v1/documents'],
      ['/v1/documents/text', { corpus_id: 'c', text: 'x' }],
      ['/v1/run', question],
      ['/v1/ops/residency'],
      ['/v1/audit/events'],
      ['/v1/admin/tenants/acme-eu/config'],
      ['/admin/tenants/acme-eu/config'],
    ] as [string, object?][]) {
      const refused = await call('us', us, token, path, body);
      expect([path, refused.status, json(refused)['error']]).toEqual([
        path,
        403,
        {
          code: 'residency.mismatch',
          message:
            "tenant 'acme-eu' is pinned to region 'eu'; this request did not reach the right region. Retry against the regional endpoint.",
          details: { region: 'eu' },
        },
      ]);
    }
    expect((await call('us', us, us.key, '/v1/health')).status).toBe(200);
  });

  it(
    'serve a tenant in its new region and refuse it in the old one, after the commands of a cutover',
    async () => {
      const [oldKey, newKey] = [await keyOf(eu, 'acme-us'), await keyOf(us, 'acme-us')];
      expect((await call('eu', eu, oldKey, '/v1/corpora')).status).toBe(200);
      expect((await curl('us', us, patch('acme-us', '{"region": "us"}'))).status).toBe(200);
      // The orchestrator: a process in single-region mode over the database of the old region.
      await eu.stop();
      const orchestrator = await start('', eu.dataDir);
      const pinned = await curl('', orchestrator, patch('acme-us', '{"region": "us", "force_region_pin": true}'));
      expect([pinned.status, json(pinned)['config']]).toEqual([200, { region: 'us' }]);
      await orchestrator.stop();
      eu = await start('eu', eu.dataDir);
      const refused = await call('eu', eu, oldKey, '/v1/corpora');
      expect([refused.status, refused.text]).toEqual([403, expect.stringContaining("pinned to region 'us'")]);
      expect((await call('us', us, newKey, '/v1/corpora')).status).toBe(200);
    },
    STARTS_MS,
  );

  it('answer those who are pinned nowhere in both', async () => {
    for (const [region, server] of [
      ['eu', eu],
      ['us', us],
    ] as const) {
      const question = { session_id: 's', corpus_id: 'c1', message: 'What are the release gates?' };
      const run = await call(region, server, server.key, '/v1/run', question);
      expect([run.status, run.text]).toEqual([200, expect.stringContaining('"type":"done"')]);
      for (const path of ['/v1/documents', '/v1/readyz', '/v1/audit/events', '/v1/nothing']) {
        await call(region, server, server.key, path);
      }
    }
  });

  // A caller that probes must not learn where it arrived.
  it('never say which one they are, but to an operator about a wrong pin, or as the pin of a tenant', () => {
    expect(answers.length).toBeGreaterThan(25);
    for (const { server, text, headers, status } of answers.filter((answer) => answer.server !== '')) {
      const wire = `${headers}\n${text}`;
      const own = text.includes('residency.invalid_pin') || /"config":\{"region":"\w+"\}/.test(text);
      const named = new RegExp(`(?<![\\w-])${server}(?![\\w-])|${server}-site`);
      expect([status, own ? '' : (named.exec(wire)?.[0] ?? ''), wire]).toEqual([status, '', wire]);
      expect(wire).not.toContain(`${server}-site`);
    }
  });
});

describe('a process', () => {
  it('19 case 9: does not start in a region that is written with a blank', async () => {
    const dataDir = EmbeddedServer.folder();
    const env = { PORT: '0', NEXUSRAG_DATA_DIR: dataDir, STATEWAVE_REGION: ' eu' };
    const { code, stdout, stderr } = await Program.run([NODE, 'dist/src/main.js'], env);
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('STATEWAVE_REGION must match')]);
  });
});
