import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/time.js';
import { expirySeconds, hasEnough, refilled, retryAfterMs, type BucketState } from './token-bucket.js';
import { TrafficGate, type BucketLevel, type Passage, type TokenBucket, type UsageCounter } from './traffic-gate.js';

const DEFAULT_MAX_ENTRIES = 50_000;

/**
 * For a process that is alone. Beyond `maxEntries` the bucket, or the counter, that was used longest ago is lost: a
 * bucket is full again, a counter unknown.
 */
export class InProcessGate extends TrafficGate {
  readonly #buckets: LRUCache<string, BucketState>;
  readonly #counters: LRUCache<string, number>;

  constructor(
    private readonly clock: Clock,
    maxEntries = DEFAULT_MAX_ENTRIES,
  ) {
    super();
    // lru-cache takes 0 for "no time yet", so the clock must not start there.
    const options = { max: maxEntries, ttlResolution: 0, perf: { now: () => clock.monotonic() + 1 } };
    this.#buckets = new LRUCache(options);
    this.#counters = new LRUCache(options);
  }

  async pass(
    tenantId: string,
    cost: number,
    buckets: readonly TokenBucket[],
    counters: readonly UsageCounter[],
  ): Promise<Passage> {
    const now = this.clock.monotonic();
    const tokens = buckets.map((bucket) => refilled(bucket, this.#buckets.get(keyOf(tenantId, bucket.id)), now));
    const enough = tokens.every((level) => hasEnough(level, cost));
    const counts = counters.map(({ id, atLeast }) => {
      const count = this.#counters.get(keyOf(tenantId, id));
      return count === undefined ? atLeast : Math.max(count, atLeast ?? 0);
    });
    if (enough && !counts.every((count) => count !== undefined)) return { outcome: 'unknown' };
    const levels = buckets.map((bucket, index) => {
      const level = (tokens[index] ?? 0) - (enough ? cost : 0);
      this.#buckets.set(keyOf(tenantId, bucket.id), { tokens: level, at: now }, { ttl: expirySeconds(bucket) * 1000 });
      return { tokens: level, retryAfterMs: enough ? 0 : retryAfterMs(bucket, level, cost) };
    });
    return enough
      ? this.#count(tenantId, counters, counts as readonly number[], levels)
      : { outcome: 'throttled', buckets: levels };
  }

  async giveBack(
    tenantId: string,
    counters: readonly { readonly id: string; readonly units: number }[],
  ): Promise<void> {
    for (const { id, units } of counters) {
      const key = keyOf(tenantId, id);
      const count = this.#counters.get(key);
      if (count !== undefined) this.#counters.set(key, Math.max(0, count - units), { noUpdateTTL: true });
    }
  }

  async raise(
    tenantId: string,
    counters: readonly { readonly id: string; readonly atLeast: number; readonly expiresAt: Date }[],
  ): Promise<void> {
    for (const { id, atLeast, expiresAt } of counters) {
      const count = this.#counters.get(keyOf(tenantId, id));
      if (count === undefined || count < atLeast) this.#keep(tenantId, id, atLeast, expiresAt);
    }
  }

  async close(): Promise<void> {
    this.#buckets.clear();
    this.#counters.clear();
  }

  #count(
    tenantId: string,
    counters: readonly UsageCounter[],
    counts: readonly number[],
    buckets: readonly BucketLevel[],
  ): Passage {
    const room = counters.every(
      ({ units, limit }, index) => units <= 0 || limit === null || (counts[index] ?? 0) + units <= limit,
    );
    const used = counters.map(({ id, units, expiresAt }, index) => {
      const count = (counts[index] ?? 0) + (room ? units : 0);
      this.#keep(tenantId, id, count, expiresAt);
      return count;
    });
    return { outcome: room ? 'passed' : 'exhausted', buckets, used };
  }

  #keep(tenantId: string, id: string, count: number, expiresAt: Date): void {
    const ttl = expiresAt.getTime() - this.clock.now().getTime();
    if (ttl > 0) this.#counters.set(keyOf(tenantId, id), count, { ttl });
    else this.#counters.delete(keyOf(tenantId, id));
  }
}

function keyOf(tenantId: string, id: string): string {
  return `{${tenantId}}:${id}`;
}
