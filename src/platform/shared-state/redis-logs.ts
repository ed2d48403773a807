import type { Redis, Result } from 'ioredis';
import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import { AppendLogs, type Batch, type LogPart, type LogTimes } from './append-logs.js';
import { RedisConnection } from './redis-connection.js';
import { sharedStateErrors } from './shared-state.errors.js';
import type { SharedState, Unsubscribe } from './shared-state.js';

/*
 * A log is one list, so that Redis can only lose it as a whole: its label, its entries, and an empty text as the end.
 * The writer's sign of life is a key of its own that expires.
 *
 * KEYS are the list and the sign of life in all scripts.
 */

/** ARGV: label, number of the first entry, '1' if last, keep ms, alive ms, channel, entries… */
const APPEND = `
  local size = redis.call('LLEN', KEYS[1])
  local first = tonumber(ARGV[2])
  if size == 0 and first == 1 then
    size = redis.call('RPUSH', KEYS[1], ARGV[1])
  end
  if size < first or redis.call('LINDEX', KEYS[1], -1) == '' then return 0 end
  for index = 7 + size - first, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[index]) end
  if ARGV[3] == '1' then
    redis.call('RPUSH', KEYS[1], '')
    redis.call('DEL', KEYS[2])
  else
    redis.call('SET', KEYS[2], '1', 'PX', ARGV[5])
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  if ARGV[3] == '1' or #ARGV > 6 then redis.call('PUBLISH', ARGV[6], '') end
  return 1`;

/** ARGV: length that the log must have, keep ms, channel, entries… */
const FINISH = `
  if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) + 1 then return 0 end
  if redis.call('LINDEX', KEYS[1], -1) == '' or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
  for index = 4, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[index]) end
  redis.call('RPUSH', KEYS[1], '')
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('PUBLISH', ARGV[3], '')
  return 1`;

/** ARGV: number of the entry to read after, limit. */
const READ = `
  local size = redis.call('LLEN', KEYS[1])
  if size == 0 then return nil end
  local ended = redis.call('LINDEX', KEYS[1], -1) == ''
  local length = size - 1
  if ended then length = length - 1 end
  local from = tonumber(ARGV[1]) + 1
  local to = math.min(tonumber(ARGV[1]) + tonumber(ARGV[2]), length)
  local entries = {}
  if from <= to then entries = redis.call('LRANGE', KEYS[1], from, to) end
  return { redis.call('LINDEX', KEYS[1], 0), length, ended and 1 or 0, redis.call('EXISTS', KEYS[2]), entries }`;

type ReadReply = [label: string, length: number, ended: number, alive: number, entries: string[]];
type Parameter = string | number;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    appendToLog(list: string, alive: string, ...parameters: Parameter[]): Result<number, Context>;
    finishLog(list: string, alive: string, ...parameters: Parameter[]): Result<number, Context>;
    readLog(list: string, alive: string, after: number, limit: number): Result<ReadReply | null, Context>;
  }
}

/** Shared by all processes. On a connection of its own, so that answers do not hold up small commands. */
export class RedisLogs extends AppendLogs {
  readonly #connection: RedisConnection;

  /** @param state of the same Redis with the same prefix; carries the messages to watchers. */
  constructor(
    url: string,
    clock: Clock,
    log: Log,
    private readonly state: SharedState,
    private readonly prefix = 'nexusrag',
  ) {
    super();
    this.#connection = new RedisConnection(url, clock, log);
    const { client } = this.#connection;
    client.defineCommand('appendToLog', { numberOfKeys: 2, lua: APPEND });
    client.defineCommand('finishLog', { numberOfKeys: 2, lua: FINISH });
    client.defineCommand('readLog', { numberOfKeys: 2, lua: READ });
  }

  async append(id: string, label: string, batch: Batch, { keepMs, aliveMs }: LogTimes): Promise<boolean> {
    const { first, entries, last } = batch;
    const parameters = [label, first, last ? '1' : '0', keepMs, aliveMs, this.#channel(id), ...entries];
    return (await this.#run((redis) => redis.appendToLog(...this.#keys(id), ...parameters))) === 1;
  }

  async finish(id: string, length: number, entries: readonly string[], keepMs: number): Promise<void> {
    const parameters = [length, keepMs, this.#channel(id), ...entries];
    await this.#run((redis) => redis.finishLog(...this.#keys(id), ...parameters));
  }

  async read(id: string, after: number, limit: number): Promise<LogPart | undefined> {
    const reply = await this.#run((redis) => redis.readLog(...this.#keys(id), after, limit));
    if (reply === null) return undefined;
    const [label, length, ended, alive, entries] = reply;
    return { label, entries, length, ended: ended === 1, alive: alive === 1 };
  }

  async delete(id: string): Promise<void> {
    await this.#run((redis) => redis.del(...this.#keys(id)));
  }

  watch(id: string, listener: () => void): Promise<Unsubscribe> {
    return this.state.subscribe(channelOf(id), () => listener());
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  /** The braces keep both in one slot of a cluster. */
  #keys(id: string): [list: string, alive: string] {
    return [`${this.prefix}:log:{${id}}`, `${this.prefix}:log:{${id}}:alive`];
  }

  #channel(id: string): string {
    return `${this.prefix}:${channelOf(id)}`;
  }

  async #run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      await this.#connection.opened();
      return await command(this.#connection.client);
    } catch (error) {
      throw sharedStateErrors.SHARED_STATE_UNAVAILABLE({ cause: error });
    }
  }
}

function channelOf(id: string): string {
  return `log:${id}`;
}
