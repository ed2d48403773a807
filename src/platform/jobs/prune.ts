import type { Clock } from '../../kernel/time.js';
import type { OutboxRepository } from './outbox.repository.js';

const BATCH = 1_000;

export interface PruneOptions {
  readonly keepDoneMs: number;
  readonly keepDeadMs: number;
}

/** Deletes jobs that ended long enough ago, in small transactions, and returns how many. */
export async function pruneJobs(
  outbox: Pick<OutboxRepository, 'prune'>,
  clock: Clock,
  { keepDoneMs, keepDeadMs }: PruneOptions,
): Promise<number> {
  const now = clock.now().getTime();
  for (let total = 0; ;) {
    const deleted = await outbox.prune(new Date(now - keepDoneMs), new Date(now - keepDeadMs), BATCH);
    total += deleted;
    if (deleted < BATCH) return total;
  }
}
