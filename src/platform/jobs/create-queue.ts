import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import { BullQueue } from './bull-queue.js';
import { InProcessQueue } from './in-process-queue.js';
import type { DeliveryQueue } from './queue.js';

/**
 * BullMQ when there is a Redis, otherwise a queue inside this process. Connects on first use.
 *
 * @param queueNames BullMQ queue by job name, where it is not the job name itself.
 */
export function createQueue(
  redis: { readonly redisUrl: string | undefined; readonly keyPrefix: string },
  clock: Clock,
  log: Log,
  queueNames: Readonly<Record<string, string>> = {},
): DeliveryQueue {
  const { redisUrl: url, keyPrefix: prefix } = redis;
  return url === undefined ? new InProcessQueue() : new BullQueue({ url, prefix, queueNames }, clock, log);
}
