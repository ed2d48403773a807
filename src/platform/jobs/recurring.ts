import type { Log } from '../../kernel/log.js';
import type { Clock, Timer } from '../../kernel/time.js';

/**
 * Repeats maintenance inside this process. Every replica does the same, so what it repeats must be harmless when
 * done several times or at once elsewhere.
 */
export class Recurring {
  readonly #timers = new Map<string, Timer>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Calls `fn` for the first time after `ms`, and again `ms` after each call has ended. A failure is logged. */
  every(name: string, ms: number, fn: () => Promise<unknown>): void {
    if (this.#timers.has(name)) throw new Error(`${name} is repeated already.`);
    const again = (): void => {
      if (!this.#stopped) this.#timers.set(name, this.clock.after(ms, start));
    };
    const start = (): void => {
      const run = this.#call(name, fn).finally(() => {
        this.#running.delete(run);
        again();
      });
      this.#running.add(run);
    };
    again();
  }

  /** Starts nothing more and waits for what runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    await Promise.all(this.#running);
  }

  async #call(name: string, fn: () => Promise<unknown>): Promise<void> {
    try {
      await fn();
    } catch (error) {
      this.log.error({ err: error, task: name }, 'A recurring task failed');
    }
  }
}
