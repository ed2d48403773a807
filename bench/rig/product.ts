import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Program } from '../../test/harness/process.js';
import type { Bench } from './bench.js';
import { ServerProcess } from './server-process.js';

export const TOKENS = 20;
export const TOKEN_MS = 5;
let installations = 0;

/** Limits are asked as always, and never reached. */
const BEYOND_LIMITS = Object.fromEntries(
  ['KEY', 'TENANT'].flatMap((owner) =>
    ['RUN', 'MUTATION', 'READ', 'OPS'].flatMap((rateClass) => [
      [`RL_${owner}_${rateClass}_RPS`, '100000'],
      [`RL_${owner}_${rateClass}_BURST`, '1000000'],
    ]),
  ),
) as Record<string, string>;

const AMPLE = { daily: 1_000_000_000, monthly: 1_000_000_000 };

/** Settings of an installation in production on this database, with a model that answers 20 tokens, 5 ms apart. */
export function productEnvironment(bench: Bench, databaseUrl: string): Record<string, string> {
  const name = `bench-${process.pid}-${(installations += 1)}`;
  return {
    NODE_ENV: 'production',
    PLAN_DEFAULT_LIMITS_JSON: JSON.stringify({ free: AMPLE, pro: AMPLE, enterprise: AMPLE }),
    KEYRING_MASTER_KEY: 'for-the-time-of-a-measurement-and-no-longer',
    STATEWAVE_RECEIPT_SIGNING_KEYS: JSON.stringify({ bench: randomBytes(32).toString('base64') }),
    PORT: '0',
    DATABASE_URL: databaseUrl,
    REDIS_URL: bench.services.redisUrl,
    REDIS_KEY_PREFIX: name,
    NEXUSRAG_DATA_DIR: `${bench.folder}/${name}`,
    LLM_PROVIDER: 'fake',
    FAKE_LLM_RESPONSE: Array.from({ length: TOKENS }, () => 'token').join(' '),
    FAKE_LLM_DELAY_MS: String(TOKEN_MS),
    ...BEYOND_LIMITS,
    RUN_MAX_CONCURRENCY: '256',
    RUN_MAX_CONCURRENCY_PER_TENANT: '256',
  };
}

const CHECKOUT = new URL('../..', import.meta.url).pathname;

/** @param probed see `ServerProcess`. */
export function startApi(
  bench: Bench,
  env: Readonly<Record<string, string>>,
  { probed = false, checkout = CHECKOUT }: { probed?: boolean; checkout?: string } = {},
): ServerProcess {
  return started(bench, join(checkout, 'dist/src/main.js'), env, probed);
}

export async function startWorker(bench: Bench, env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const worker = started(bench, join(CHECKOUT, 'dist/src/worker.js'), env, false);
  await worker.says(/the worker runs jobs/);
  return worker;
}

function started(bench: Bench, script: string, env: Readonly<Record<string, string>>, probed: boolean): ServerProcess {
  const server = ServerProcess.start([script], { env, folder: bench.folder, probed });
  bench.onClose(() => server.stop());
  return server;
}

/** Brings the database up to date, with the product's own command. */
export async function migrate(env: Readonly<Record<string, string>>): Promise<void> {
  const command = [process.execPath, 'dist/src/cli.js', 'migrate', 'up'];
  const { code, stderr, stdout } = await Program.run(command, env);
  if (code !== 0) throw new Error(`The migrations failed: ${stdout}${stderr}`);
}
