import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { Redis } from 'ioredis';
import type { Machine } from '../result.js';
import { connected, type Services } from './services.js';

/** What figures depend on. Says nothing that would tell whose machine it is. */
export async function machineFacts({ databaseUrl, redisUrl }: Services): Promise<Machine> {
  const processors = cpus();
  const postgres = await connected(databaseUrl, async (client) => {
    const { rows } = await client.query<{ version: string; buffers: string; pgvector: string }>(
      `SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
              current_setting('shared_buffers') AS buffers,
              (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS pgvector`,
    );
    return rows[0];
  });
  const redis = new Redis(redisUrl);
  const info = await redis.info('server').finally(() => redis.disconnect());
  return {
    cores: processors.length,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.versions.node,
    postgres: postgres?.version ?? 'unknown',
    sharedBuffers: postgres?.buffers ?? 'unknown',
    pgvector: postgres?.pgvector ?? 'unknown',
    redis: /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown',
  };
}

/** The commit, marked when files differ from it. */
export function commitOf(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes');
  } catch {
    return 'unknown';
  }
}
