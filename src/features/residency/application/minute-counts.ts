import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../kernel/time.js';

const MINUTE_MS = 60_000;
const MOST_KEYS = 10_000;

interface Minute {
  readonly since: number;
  count: number;
}

/** Counts in minutes that begin with the first event of a key. Beyond 10,000 keys the one idle longest begins anew. */
export class MinuteCounts {
  readonly #minutes = new LRUCache<string, Minute>({ max: MOST_KEYS });

  constructor(private readonly clock: Clock) {}

  /** @returns how many there were in this minute, and how long it lasts yet. */
  add(key: string): { readonly count: number; readonly endsInMs: number } {
    const now = this.clock.monotonic();
    const open = this.#minutes.get(key);
    const minute = open !== undefined && now - open.since < MINUTE_MS ? open : { since: now, count: 0 };
    minute.count += 1;
    this.#minutes.set(key, minute);
    return { count: minute.count, endsInMs: Math.ceil(minute.since + MINUTE_MS - now) };
  }
}
