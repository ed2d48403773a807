import { AsyncResource } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import { LIST_LIMIT, SharedState, type Unsubscribe } from './shared-state.js';

const DEFAULT_MAX_ENTRIES = 10_000;

/** For a process that is alone. Beyond `maxEntries` the value that was used longest ago is lost. */
export class InProcessState extends SharedState {
  readonly distributed = false;
  readonly #values: LRUCache<string, string>;
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  readonly #log: Log;

  constructor(clock: Clock, log: Log, maxEntries = DEFAULT_MAX_ENTRIES) {
    super();
    this.#log = log;
    // lru-cache takes 0 for "no time yet", so the clock must not start there.
    this.#values = new LRUCache({ max: maxEntries, ttlResolution: 0, perf: { now: () => clock.monotonic() + 1 } });
  }

  async publish(channel: string, message: string): Promise<void> {
    for (const listener of this.#listeners.get(channel) ?? []) {
      try {
        listener(message);
      } catch (error) {
        this.#log.error({ err: error, channel }, 'A listener failed');
      }
    }
  }

  /** Listeners run in the context of their subscription: never inside the publisher's request or transaction. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe> {
    const bound = AsyncResource.bind((message: string) => listener(message));
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(bound));
    return async () => {
      listeners.delete(bound);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    };
  }

  async set(key: string, value: string, ttlSeconds: number): Promise<void> {
    this.#values.set(key, value, { ttl: ttlSeconds * 1000 });
  }

  async get(key: string): Promise<string | undefined> {
    return this.#values.get(key);
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
  }

  async list(prefix: string): Promise<Record<string, string>> {
    const found = [...this.#values.entries()].filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(found.slice(0, LIST_LIMIT));
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#values.clear();
  }
}
