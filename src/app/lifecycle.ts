import type { Log } from '../kernel/log.js';
import { silentLog } from '../kernel/log.js';
import { SystemClock, type Clock } from '../kernel/time.js';
import { holdProcess } from './hold-process.js';
import { startFault } from './start-fault.js';

/** What a process may take to stop besides the time that it gives to the work in progress. */
const STOPPING_MS = 15_000;
/** One Ctrl-C reaches a process more than once: from the terminal and from every runner above it, such as npm. */
const SAME_SIGNAL_MS = 500;

const EXIT_FAILED = 1;
const EXIT_AT_ONCE = 130;

/** What a process has started and must stop, in reverse order. */
export class Lifecycle {
  readonly #stops: (() => Promise<unknown>)[][] = [];
  #limitMs = STOPPING_MS;
  /** Set when there is one; before that, faults go to the error output only. */
  log: Log = silentLog;

  /** Longest time from the first signal to the exit: the longest drain, and some time for the rest. */
  get limitMs(): number {
    return this.#limitMs;
  }

  /** @param drainMs how long stopping this part may wait for work in progress. */
  onStop(stop: () => Promise<unknown>, drainMs = 0): void {
    this.#stops.push([stop]);
    this.#allow(drainMs);
  }

  /** Like `onStop`, but at the same time as the part before: their drains do not add up. */
  alongside(stop: () => Promise<unknown>, drainMs = 0): void {
    const before = this.#stops.at(-1);
    if (before === undefined) this.#stops.push([stop]);
    else before.push(stop);
    this.#allow(drainMs);
  }

  /** Stops everything, also when a part fails to. */
  async stop(): Promise<void> {
    for (let parts = this.#stops.pop(); parts !== undefined; parts = this.#stops.pop()) {
      await Promise.all(parts.map((stop) => this.#stopPart(stop)));
    }
  }

  async #stopPart(stop: () => Promise<unknown>): Promise<void> {
    try {
      await stop();
    } catch (error) {
      this.log.error({ err: error }, 'a part of the process did not stop cleanly');
    }
  }

  #allow(drainMs: number): void {
    this.#limitMs = Math.max(this.#limitMs, STOPPING_MS + drainMs);
  }
}

/** Whether a signal asks for the second time. Repetitions within half a second are the same request. */
export class StopRequests {
  #firstAt: number | undefined;
  constructor(private readonly clock: Clock) {}

  receive(): 'first' | 'repeated' | 'second' {
    const now = this.clock.monotonic();
    if (this.#firstAt === undefined) {
      this.#firstAt = now;
      return 'first';
    }
    return now - this.#firstAt < SAME_SIGNAL_MS ? 'repeated' : 'second';
  }
}

/**
 * Runs a process until SIGINT or SIGTERM, then stops what `start` registered and exits with 0. A second signal exits
 * with 130 at once; a fault at the start, or an error that nobody caught, with 1.
 */
export async function runProcess(start: (life: Lifecycle) => Promise<void>): Promise<void> {
  const clock = new SystemClock();
  const life = new Lifecycle();
  const release = holdProcess();
  const stopping = stopRequested(clock);
  watchErrors(life);
  try {
    await start(life);
  } catch (error) {
    await life.stop();
    process.stderr.write(`${startFault(error)?.message ?? fullText(error)}\n`);
    process.exit(EXIT_FAILED);
  }
  await stopping;
  clock.after(life.limitMs, () => {
    life.log.error({ limit_ms: life.limitMs }, 'the process did not stop in time');
    process.exit(EXIT_FAILED);
  });
  await life.stop();
  release();
  process.exit(0);
}

/** Resolves at the first signal. One that arrives during the start takes effect after it. */
function stopRequested(clock: Clock): Promise<void> {
  const requests = new StopRequests(clock);
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        const request = requests.receive();
        if (request === 'second') process.exit(EXIT_AT_ONCE);
        if (request === 'first') resolve();
      });
    }
  });
}

/** After an error that nobody caught, the state of the process is unknown: whoever supervises it starts a new one. */
function watchErrors(life: Lifecycle): void {
  const die = (error: unknown): never => {
    life.log.error({ err: error }, 'an error was not caught; the process ends');
    process.stderr.write(`${fullText(error)}\n`);
    process.exit(EXIT_FAILED);
  };
  process.on('unhandledRejection', die);
  process.on('uncaughtException', die);
}

function fullText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
