import type { JobSpec } from '../../kernel/jobs.js';

/**
 * Wait in ms before the attempt after `attempt`: base·2^(attempt-1) ±20 %, at most `maxMs`.
 *
 * @param fraction uniform in [0, 1).
 */
export function backoffMs({ baseMs, maxMs }: JobSpec<unknown>['backoff'], attempt: number, fraction: number): number {
  return Math.round(Math.min(maxMs, baseMs * 2 ** (attempt - 1) * (0.8 + 0.4 * fraction)));
}
