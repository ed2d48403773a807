/**
 * A token bucket: it holds at most `burst` tokens and gains `rate` of them a second. One that nobody used yet is full.
 */
export interface TokenBucket {
  /** Unique within the tenant, such as `key:<id>:read`. */
  readonly id: string;
  /** Tokens a second; 0 refills only by being forgotten, when nobody asked for `burst` seconds. */
  readonly rate: number;
  readonly burst: number;
}

/** A count of units within one period, such as a tenant's requests of a day. */
export interface UsageCounter {
  /** Unique within the tenant, and other for every period, such as `day:2026-02-17`. */
  readonly id: string;
  /** Whole; 0 only looks, and never exhausts. */
  readonly units: number;
  /** The count that the units may not lead past; null counts without end. */
  readonly limit: number | null;
  /**
   * What is known to be counted already. A store that has less, for example because it was restarted, goes on from
   * here. Undefined: unknown; then a counter that the store does not have makes the passage `unknown`.
   */
  readonly atLeast?: number;
  /** When the store may forget the counter. */
  readonly expiresAt: Date;
}

export type Passage =
  /** Tokens taken and units counted. */
  | { readonly outcome: 'passed'; readonly buckets: readonly BucketLevel[]; readonly used: readonly number[] }
  /** Too few tokens: neither tokens nor units were touched. `retryAfterMs` is 0 for a bucket that had enough. */
  | { readonly outcome: 'throttled'; readonly buckets: readonly BucketLevel[] }
  /** Tokens taken, but some counter is at its limit: no unit was counted in any. `used` is as it was. */
  | { readonly outcome: 'exhausted'; readonly buckets: readonly BucketLevel[]; readonly used: readonly number[] }
  /** Enough tokens, but nothing is known about a counter that is missing: nothing was touched. Ask with `atLeast`. */
  | { readonly outcome: 'unknown' };

export interface BucketLevel {
  /** Tokens left, possibly a fraction. */
  readonly tokens: number;
  /** Until the tokens that were asked for are there; 0 when they were. 1000 for a bucket that never refills. */
  readonly retryAfterMs: number;
}

/**
 * Port: the limits that all processes share, decided in one atomic step of the store and on the store's own clock.
 * Rejects with SHARED_STATE_UNAVAILABLE at once while the store is away (the first call after an outage began may
 * take a second).
 */
export abstract class TrafficGate {
  /**
   * Takes `cost` tokens from every bucket, or from none; when it took them, counts the units of every counter, or of
   * none. One round trip, whatever is asked for.
   */
  abstract pass(
    tenantId: string,
    cost: number,
    buckets: readonly TokenBucket[],
    counters: readonly UsageCounter[],
  ): Promise<Passage>;

  /** Takes back units that were counted for something that then did not happen. Never below 0. */
  abstract giveBack(
    tenantId: string,
    counters: readonly { readonly id: string; readonly units: number }[],
  ): Promise<void>;

  /** Raises counters that the store has to at least `atLeast`; leaves higher ones, and makes missing ones. */
  abstract raise(
    tenantId: string,
    counters: readonly { readonly id: string; readonly atLeast: number; readonly expiresAt: Date }[],
  ): Promise<void>;

  abstract close(): Promise<void>;
}
