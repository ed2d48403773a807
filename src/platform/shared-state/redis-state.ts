import type { Redis } from 'ioredis';
import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import { RedisConnection } from './redis-connection.js';
import { sharedStateErrors } from './shared-state.errors.js';
import { LIST_LIMIT, SharedState, type Unsubscribe } from './shared-state.js';

const SCAN_BATCH = 500;
/** Bounds one `list` on a store that is full of other keys: 200 round trips, 100 000 keys. */
const SCAN_ROUNDS = 200;

/** Shared by all processes of a deployment. Messages travel on a connection of their own, as Redis demands. */
export class RedisState extends SharedState {
  readonly distributed = true;
  readonly #commands: RedisConnection;
  readonly #subscriber: RedisConnection;
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  readonly #log: Log;
  readonly #prefix: string;

  constructor(url: string, clock: Clock, log: Log, prefix = 'nexusrag') {
    super();
    this.#prefix = `${prefix}:`;
    this.#log = log;
    this.#commands = new RedisConnection(url, clock, log);
    this.#subscriber = new RedisConnection(url, clock, log);
    this.#subscriber.client.on('ready', () => void this.#follow([...this.#listeners.keys()]));
    this.#subscriber.client.on('message', (channel: string, message: string) => this.#deliver(channel, message));
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#run((redis) => redis.publish(this.#prefix + channel, message));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe> {
    const prefixed = this.#prefix + channel;
    const own = (message: string): void => listener(message);
    const listeners = this.#listeners.get(prefixed) ?? new Set();
    this.#listeners.set(prefixed, listeners.add(own));
    await this.#subscriber.opened();
    if (this.#subscriber.client.status === 'ready') await this.#follow([prefixed]);
    return async () => {
      listeners.delete(own);
      if (listeners.size > 0 || this.#listeners.get(prefixed) !== listeners) return;
      this.#listeners.delete(prefixed);
      // When this fails the connection is down, and the next one does not ask for the channel.
      await this.#subscriber.client.unsubscribe(prefixed).catch(() => undefined);
    };
  }

  async set(key: string, value: string, ttlSeconds: number): Promise<void> {
    await this.#run((redis) => redis.set(this.#prefix + key, value, 'PX', Math.ceil(ttlSeconds * 1000)));
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#run((redis) => redis.get(this.#prefix + key))) ?? undefined;
  }

  async delete(key: string): Promise<void> {
    await this.#run((redis) => redis.del(this.#prefix + key));
  }

  async list(prefix: string): Promise<Record<string, string>> {
    return this.#run(async (redis) => {
      const keys = await scan(redis, this.#prefix + prefix);
      if (keys.length === 0) return {};
      const values = await redis.mget(keys);
      const entries = keys.map((key, index) => [key.slice(this.#prefix.length), values[index]] as const);
      return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
    });
  }

  async ping(): Promise<void> {
    await this.#run((redis) => redis.ping());
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#commands.close();
    this.#subscriber.close();
  }

  async #run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      await this.#commands.opened();
      return await command(this.#commands.client);
    } catch (error) {
      throw sharedStateErrors.SHARED_STATE_UNAVAILABLE({ cause: error });
    }
  }

  /** A subscription that fails on a live connection is tried again on a new one: otherwise it would stay deaf. */
  async #follow(channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return;
    const { client } = this.#subscriber;
    try {
      await client.subscribe(...channels);
    } catch (error) {
      this.#log.warn({ err: error, channels }, 'A subscription failed and is tried again');
      if (client.status === 'ready') client.disconnect(true);
    }
  }

  #deliver(channel: string, message: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) {
      try {
        listener(message);
      } catch (error) {
        this.#log.error({ err: error, channel }, 'A listener failed');
      }
    }
  }
}

/** Plain text as a Redis glob that matches only itself. */
function literal(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}

async function scan(redis: Redis, prefix: string): Promise<string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  for (let round = 0; round < SCAN_ROUNDS && keys.size < LIST_LIMIT; round += 1) {
    // Only strings: the store also holds structures of other owners, which MGET would not read.
    const [next, found] = await redis.scan(
      cursor,
      'MATCH',
      `${literal(prefix)}*`,
      'COUNT',
      SCAN_BATCH,
      'TYPE',
      'string',
    );
    for (const key of found) keys.add(key);
    if (next === '0') break;
    cursor = next;
  }
  return [...keys].slice(0, LIST_LIMIT);
}
