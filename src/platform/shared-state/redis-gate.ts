import type { Redis, Result } from 'ioredis';
import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import { RedisConnection } from './redis-connection.js';
import { sharedStateErrors } from './shared-state.errors.js';
import { expirySeconds, HAIR, retryAfterMs } from './token-bucket.js';
import { TrafficGate, type Passage, type TokenBucket, type UsageCounter } from './traffic-gate.js';

/*
 * A bucket is a hash of its tokens and the moment (`ts`, ms) at which it held them; a counter is a number. The clock is
 * the one of Redis: clocks of processes differ, and a request to each in turn would refill a bucket every time. Numbers
 * are written with all their digits, and returned as text, because Redis cuts numbers of scripts to integers.
 */

/**
 * KEYS: buckets, counters. ARGV: the cost; as JSON, rate, burst and expiry in seconds of each bucket; as JSON, units,
 * limit, known count (both false for none) and expiry in ms since 1970 of each counter.
 */
const PASS = `
  local cost, buckets, counters = tonumber(ARGV[1]), cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local levels, enough = {}, true
  for i = 1, #buckets do
    local rate, burst = buckets[i][1], buckets[i][2]
    local kept = redis.call('HMGET', KEYS[i], 'tokens', 'ts')
    local tokens, ts = tonumber(kept[1] or burst), tonumber(kept[2] or now)
    levels[i] = math.min(burst, tokens + math.max(0, now - ts) / 1000 * rate)
    enough = enough and levels[i] + ${HAIR} >= cost
  end
  local counts, room = {}, true
  for i = 1, enough and #counters or 0 do
    local units, limit, known = counters[i][1], counters[i][2], counters[i][3]
    local count = redis.call('GET', KEYS[#buckets + i])
    if not count and not known then return { 'unknown' } end
    counts[i] = math.max(tonumber(count or 0), known or 0)
    if units > 0 and limit and counts[i] + units > limit then room = false end
  end
  for i = 1, #buckets do
    levels[i] = string.format('%.17g', levels[i] - (enough and cost or 0))
    redis.call('HSET', KEYS[i], 'tokens', levels[i], 'ts', string.format('%.0f', now))
    redis.call('EXPIRE', KEYS[i], buckets[i][3])
  end
  if not enough then return { 'throttled', levels } end
  for i = 1, #counts do
    counts[i] = string.format('%.0f', counts[i] + (room and counters[i][1] or 0))
    redis.call('SET', KEYS[#buckets + i], counts[i], 'PXAT', string.format('%.0f', counters[i][4]))
  end
  return { room and 'passed' or 'exhausted', levels, counts }`;

/** KEYS: counters. ARGV: units of each. */
const GIVE_BACK = `
  for i = 1, #KEYS do
    local count = redis.call('GET', KEYS[i])
    if count then redis.call('SET', KEYS[i], string.format('%.0f', math.max(0, count - ARGV[i])), 'KEEPTTL') end
  end`;

/** KEYS: counters. ARGV: known count and expiry in ms since 1970 of each. */
const RAISE = `
  for i = 1, #KEYS do
    local count = redis.call('GET', KEYS[i])
    if not count or tonumber(count) < tonumber(ARGV[2 * i - 1]) then
      redis.call('SET', KEYS[i], ARGV[2 * i - 1], 'PXAT', ARGV[2 * i])
    end
  end`;

type PassReply = [outcome: Passage['outcome'], levels?: string[], counts?: string[]];
type Parameter = string | number;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    passGate(numberOfKeys: number, ...keysAndParameters: Parameter[]): Result<PassReply, Context>;
    giveBackUsage(numberOfKeys: number, ...keysAndParameters: Parameter[]): Result<null, Context>;
    raiseUsage(numberOfKeys: number, ...keysAndParameters: Parameter[]): Result<null, Context>;
  }
}

/** Shared by all processes. On a connection of its own: it stands before every request. */
export class RedisGate extends TrafficGate {
  readonly #connection: RedisConnection;
  #away = false;
  #probing = false;

  /** @param prefix first part of every key. */
  constructor(
    url: string,
    clock: Clock,
    log: Log,
    private readonly prefix = 'nexusrag:rl',
  ) {
    super();
    this.#connection = new RedisConnection(url, clock, log);
    const { client } = this.#connection;
    client.defineCommand('passGate', { lua: PASS });
    client.defineCommand('giveBackUsage', { lua: GIVE_BACK });
    client.defineCommand('raiseUsage', { lua: RAISE });
  }

  pass(
    tenantId: string,
    cost: number,
    buckets: readonly TokenBucket[],
    counters: readonly UsageCounter[],
  ): Promise<Passage> {
    const keys = this.#keys(tenantId, [...buckets, ...counters]);
    const ofBuckets = buckets.map((bucket) => [bucket.rate, bucket.burst, expirySeconds(bucket)]);
    const ofCounters = counters.map((counter) => [
      counter.units,
      counter.limit ?? false,
      counter.atLeast ?? false,
      counter.expiresAt.getTime(),
    ]);
    // Two texts instead of a dozen numbers: the client writes them, and Redis reads them, in half the time.
    const parameters = [cost, JSON.stringify(ofBuckets), JSON.stringify(ofCounters)];
    return this.#run((redis) => redis.passGate(keys.length, ...keys, ...parameters)).then((reply) =>
      passageOf(reply, buckets, cost),
    );
  }

  async giveBack(
    tenantId: string,
    counters: readonly { readonly id: string; readonly units: number }[],
  ): Promise<void> {
    const keys = this.#keys(tenantId, counters);
    await this.#run((redis) => redis.giveBackUsage(keys.length, ...keys, ...counters.map(({ units }) => units)));
  }

  async raise(
    tenantId: string,
    counters: readonly { readonly id: string; readonly atLeast: number; readonly expiresAt: Date }[],
  ): Promise<void> {
    const keys = this.#keys(tenantId, counters);
    const parameters = counters.flatMap(({ atLeast, expiresAt }) => [atLeast, expiresAt.getTime()]);
    await this.#run((redis) => redis.raiseUsage(keys.length, ...keys, ...parameters));
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  /** The braces keep everything of a tenant in one slot of a cluster. */
  #keys(tenantId: string, parts: readonly { readonly id: string }[]): string[] {
    return parts.map(({ id }) => `${this.prefix}:{${tenantId}}:${id}`);
  }

  /** After a failure nobody waits for Redis until it answered a ping: one that hangs costs a second once, not each. */
  async #run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.#away) {
      void this.#probe();
      throw sharedStateErrors.SHARED_STATE_UNAVAILABLE();
    }
    try {
      const opening = this.#connection.opened();
      if (opening !== undefined) await opening;
      this.#connection.gather();
      return await command(this.#connection.client);
    } catch (error) {
      this.#away = true;
      throw sharedStateErrors.SHARED_STATE_UNAVAILABLE({ cause: error });
    }
  }

  async #probe(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    try {
      await this.#connection.client.ping();
      this.#away = false;
    } catch {
      // Still away; the next caller asks again.
    } finally {
      this.#probing = false;
    }
  }
}

function passageOf(
  [outcome, levels = [], counts = []]: PassReply,
  buckets: readonly TokenBucket[],
  cost: number,
): Passage {
  if (outcome === 'unknown') return { outcome };
  const found = buckets.map((bucket, index) => {
    const tokens = Number(levels[index]);
    return { tokens, retryAfterMs: outcome === 'throttled' ? retryAfterMs(bucket, tokens, cost) : 0 };
  });
  return outcome === 'throttled' ? { outcome, buckets: found } : { outcome, buckets: found, used: counts.map(Number) };
}
