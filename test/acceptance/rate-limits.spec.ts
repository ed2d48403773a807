import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { NODE, Program } from '../harness/process.js';
import { testDatabaseUrl, testRedisUrl } from '../harness/services.js';

/** How long requests are sent; a longer time shows smaller leaks. */
const SECONDS = Number(process.env['RATE_LIMIT_SECONDS'] ?? 5);
const REQUESTS_PER_SECOND = 200;
/** A machine that is too slow for the rate gets as many as it can take. */
const MOST_UNDER_WAY = 100;
/** Three starts at once on a small machine. */
const START_MS = 180_000;
const UNLIMITED = { daily: null, monthly: null };
const LIMIT = { rps: 20, burst: 40 };

if (testDatabaseUrl === undefined || testRedisUrl === undefined) {
  // Honest about what ran: one process has nobody to share a limit with.
  it('processes that share a limit need TEST_DATABASE_URL and TEST_REDIS_URL', () => {
    expect([testDatabaseUrl, testRedisUrl]).toContain(undefined);
  });
} else {
  replicas(testDatabaseUrl, testRedisUrl);
}

function replicas(serverUrl: string, redisUrl: string): void {
  const name = `nexusrag_limits_${randomBytes(6).toString('hex')}`;
  const env = {
    DATABASE_URL: Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: name,
    NODE_ENV: 'production',
    PLAN_DEFAULT_LIMITS_JSON: JSON.stringify({ free: UNLIMITED, pro: UNLIMITED, enterprise: UNLIMITED }),
    KEYRING_MASTER_KEY: 'for-the-time-of-this-test-and-no-longer',
    PORT: '0',
    LOG_LEVEL: 'ERROR',
    RL_KEY_READ_RPS: String(LIMIT.rps),
    RL_KEY_READ_BURST: String(LIMIT.burst),
    RL_TENANT_READ_RPS: '1000',
    RL_TENANT_READ_BURST: '1000',
  };
  const programs: Program[] = [];
  let urls: string[];
  let token: string;

  async function administer(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  async function api(): Promise<string> {
    const program = new Program([NODE, 'dist/src/main.js'], env);
    programs.push(program);
    const [, port = ''] = await program.says(/listens on http:\/\/localhost:(\d+)/);
    return `http://127.0.0.1:${port}`;
  }

  beforeAll(async () => {
    await administer(`CREATE DATABASE ${name}`);
    const cli = (...args: string[]) => Program.run([NODE, 'dist/src/cli.js', ...args], env);
    expect((await cli('migrate', 'up')).code).toBe(0);
    const created = await cli('keys', 'create', '--tenant', 'acme', '--role', 'reader', '--name', 'load');
    token = /nrgk_\w+_[\w-]{43}/.exec(created.stdout)?.[0] ?? '';
    urls = await Promise.all([api(), api(), api()]);
  }, START_MS);
  afterAll(async () => {
    for (const program of programs) program.kill('SIGKILL');
    await Promise.all(programs.map((program) => program.exit()));
    await administer(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  describe('three API processes on one Redis', () => {
    // A customer who pays for 20 a second and gets 60 by asking every replica takes the capacity of others.
    it(
      `admit together no more than one limit allows, at ${REQUESTS_PER_SECOND} requests/s for ${SECONDS} s`,
      async () => {
        const statuses = new Map<number, number>();
        const began = performance.now();
        const elapsed = (): number => (performance.now() - began) / 1000;
        let [sent, underWay, lastAdmitted] = [0, 0, 0];
        const get = async (url: string): Promise<void> => {
          underWay += 1;
          const response = await fetch(`${url}/v1/corpora`, { headers: { Authorization: `Bearer ${token}` } });
          await response.arrayBuffer();
          underWay -= 1;
          statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
          if (response.status === 200) lastAdmitted = elapsed();
        };
        const requests: Promise<void>[] = [];
        while (elapsed() < SECONDS) {
          for (; sent < elapsed() * REQUESTS_PER_SECOND && underWay < MOST_UNDER_WAY; sent += 1) {
            requests.push(get(urls[sent % urls.length] ?? ''));
          }
          await pause(5);
        }
        const rate = sent / elapsed();
        await Promise.all(requests);
        const allowed = LIMIT.burst + LIMIT.rps * lastAdmitted;
        const admitted = statuses.get(200) ?? 0;
        console.info(
          `${sent} requests (${rate.toFixed(0)}/s) to ${urls.length} processes: ${admitted} admitted, ` +
            `${statuses.get(429) ?? 0} refused; allowed ${allowed.toFixed(1)}, over-admission ` +
            `${Math.max(0, admitted - Math.floor(allowed))}`,
        );
        expect([...statuses.keys()].sort()).toEqual([200, 429]);
        expect(admitted).toBeLessThanOrEqual(allowed);
        // And what is paid for is given: more is asked for all the time, so no token stays unused for long.
        expect(admitted).toBeGreaterThanOrEqual(LIMIT.burst + LIMIT.rps * SECONDS * 0.5);
      },
      SECONDS * 1000 + 60_000,
    );
  });
}
