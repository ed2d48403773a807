import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { eventually } from '../harness/eventually.js';
import { NODE, Program } from '../harness/process.js';
import { testDatabaseUrl, testRedisUrl } from '../harness/services.js';

if (testDatabaseUrl === undefined || testRedisUrl === undefined) {
  // Honest about what ran: without services there is nothing to assert here, and embedded.spec.ts covers the rest.
  it('separate processes need TEST_DATABASE_URL and TEST_REDIS_URL; only the embedded mode was tried', () => {
    expect([testDatabaseUrl, testRedisUrl]).toContain(undefined);
  });
} else {
  separateProcesses(testDatabaseUrl, testRedisUrl);
}

function separateProcesses(serverUrl: string, redisUrl: string): void {
  const name = `nexusrag_acceptance_${randomBytes(6).toString('hex')}`;
  const databaseUrl = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: name,
    NODE_ENV: 'production',
    RATE_LIMIT_ENABLED: 'false',
    KEYRING_MASTER_KEY: 'for-the-time-of-this-test-and-no-longer',
    PORT: '0',
  };
  const cli = (...args: string[]) => Program.run([NODE, 'dist/src/cli.js', ...args], env);
  const programs: Program[] = [];
  let token: string;

  async function api(): Promise<{ program: Program; url: string }> {
    const program = new Program([NODE, 'dist/src/main.js'], env);
    programs.push(program);
    const [, port = ''] = await program.says(/listens on http:\/\/localhost:(\d+)/);
    return { program, url: `http://127.0.0.1:${port}` };
  }

  async function administer(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  const call = async (url: string, method = 'GET', body?: object) => {
    const response = await fetch(url, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as { data: Record<string, string> } };
  };

  beforeAll(() => administer(`CREATE DATABASE ${name}`));
  afterAll(async () => {
    for (const program of programs) program.kill('SIGKILL');
    await Promise.all(programs.map((program) => program.exit()));
    await administer(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  describe('API and worker as separate processes on Postgres and Redis', () => {
    it('refuse to start before the migrations, and say how to run them', async () => {
      const { code, stderr, stdout } = await Program.run([NODE, 'dist/src/main.js'], env);
      expect(code).toBe(1);
      expect(stderr + stdout).toContain('migrate up');
      expect((await cli('migrate', 'up')).code).toBe(0);
      expect((await cli('migrate', 'up')).code).toBe(0);
    });

    it('ingest through the worker, answer through the API, and stop cleanly', async () => {
      const created = await cli('keys', 'create', '--tenant', 'acme', '--role', 'admin', '--name', 'first');
      token = /nrgk_\w+_[\w-]{43}/.exec(created.stdout)?.[0] ?? '';
      const { program, url } = await api();
      await call(`${url}/v1/corpora`, 'POST', { id: 'handbook', name: 'Handbook' });
      const text = 'Travel expenses are paid within ten days.';
      const accepted = await call(`${url}/v1/documents/text`, 'POST', {
        corpus_id: 'handbook',
        document_id: 'd1',
        text,
      });
      expect(accepted.status).toBe(202);
      expect((await call(`${url}/v1/documents/d1`)).body.data.status).toBe('queued');

      const worker = new Program([NODE, 'dist/src/worker.js'], env);
      programs.push(worker);
      await eventually(async () => {
        expect((await call(`${url}/v1/documents/d1`)).body.data.status).toBe('succeeded');
      }, 30_000);
      const question = {
        session_id: 's',
        corpus_id: 'handbook',
        message: 'When are travel expenses paid?',
        stream: false,
      };
      const answer = await call(`${url}/v1/run`, 'POST', question);
      expect(answer.body.data.text).toContain('within ten days');

      worker.kill('SIGTERM');
      program.kill('SIGTERM');
      expect(await Promise.all([worker.exit(), program.exit()])).toEqual([0, 0]);
    });

    // A revoked key that another replica still honours is a leak.
    it('a key revoked by a command is refused by every replica within a second', async () => {
      const [first, second] = await Promise.all([api(), api()]);
      const statuses = async () =>
        Promise.all([first, second].map(async ({ url }) => (await call(`${url}/v1/corpora`)).status));
      expect(await statuses()).toEqual([200, 200]);
      await cli('keys', 'revoke', token.split('_')[1] ?? '');
      await eventually(async () => expect(await statuses()).toEqual([401, 401]), 1000);
    });
  });
}
