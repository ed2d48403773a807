import { execFileSync } from 'node:child_process';
import pg from 'pg';

export interface Services {
  /** A login that may create databases. */
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/** The services that the environment names; otherwise those that the project's own script starts. */
export function services(): Services {
  const { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl } = process.env;
  if (databaseUrl && redisUrl) return { databaseUrl, redisUrl };
  const said = execFileSync('bash', ['scripts/services.sh', 'up'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const value = (name: string): string => new RegExp(`^${name}=(.+)$`, 'm').exec(said)?.[1] ?? '';
  return { databaseUrl: value('TEST_DATABASE_URL'), redisUrl: value('TEST_REDIS_URL') };
}

export function databaseUrl(serverUrl: string, name: string): string {
  return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
}

/** Runs `work` on a connection of its own. */
export async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
