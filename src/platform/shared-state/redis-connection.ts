import { Redis } from 'ioredis';
import type { Log } from '../../kernel/log.js';
import type { Soon } from '../../kernel/soon.js';
import type { Clock } from '../../kernel/time.js';

const COMMAND_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
const DISCONNECT_TIMEOUT_MS = 200;
const MAX_RECONNECT_DELAY_MS = 2_000;

/**
 * A connection that opens on first use, reconnects for ever, and never makes a caller wait for a Redis that is away:
 * a command fails at once while the connection is down, and after a second when no answer comes.
 */
export class RedisConnection {
  readonly client: Redis;
  #opening: Promise<void> | undefined;
  #isOpened = false;
  #down = false;

  constructor(
    url: string,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      // A command whose connection broke may have been carried out: sent again, it would count twice.
      autoResendUnfulfilledCommands: false,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      disableClientInfo: true,
      retryStrategy: (attempt) => Math.min(100 * attempt, MAX_RECONNECT_DELAY_MS),
      // A subscriber renews its subscriptions itself, so that there is one mechanism for first and later connections.
      autoResubscribe: false,
    });
    this.client.on('ready', () => {
      if (this.#down) log.info({}, 'Redis is reachable again');
      this.#down = false;
    });
    this.client.on('error', (error: Error) => {
      if (!this.#down) log.warn({ err: error }, 'Redis is not reachable');
      this.#down = true;
    });
  }

  /**
   * Waits for the outcome of the first attempt to connect, good or bad, at most two seconds: a Redis that is still
   * loading its data delays the outcome. Afterwards returns at once.
   */
  opened(): Soon<void> {
    if (this.#isOpened) return;
    this.#opening ??= new Promise((resolve) => {
      const timer = this.clock.after(CONNECT_TIMEOUT_MS, resolve);
      const settle = (): void => {
        timer.cancel();
        this.#isOpened = true;
        resolve();
      };
      this.client.connect().then(settle, settle);
    });
    return this.#opening;
  }

  /** What is sent until the event loop has gone round leaves in one piece: a system call costs more than a command. */
  gather(): void {
    const stream = this.client.stream as Redis['stream'] | undefined;
    if (stream === undefined || stream.writableCorked > 0) return;
    stream.cork();
    setImmediate(() => stream.uncork());
  }

  close(): void {
    this.client.disconnect();
  }
}
