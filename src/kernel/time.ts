/** The only source of time. Tests replace it; nothing else calls Date.now or setTimeout. */
export abstract class Clock {
  /** Wall clock. */
  abstract now(): Date;
  /** Milliseconds that only grow; for durations. */
  abstract monotonic(): number;
  /** Calls back once after `ms` unless cancelled. The timer never keeps the process alive. */
  abstract after(ms: number, callback: () => void): Timer;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const stop = (): void => {
        timer.cancel();
        reject(signal?.reason as Error);
      };
      const timer = this.after(ms, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      signal?.addEventListener('abort', stop, { once: true });
    });
  }
}

export interface Timer {
  cancel(): void;
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
  monotonic(): number {
    return performance.now();
  }
  after(ms: number, callback: () => void): Timer {
    const handle = setTimeout(callback, ms).unref();
    return { cancel: () => clearTimeout(handle) };
  }
}

/** A clock that stands still until told to move. */
export class ManualClock extends Clock {
  #elapsed = 0;
  #timers: { at: number; callback: () => void }[] = [];
  readonly #origin: number;
  constructor(start: Date | string = '2026-01-01T00:00:00Z') {
    super();
    this.#origin = new Date(start).getTime();
  }
  now(): Date {
    return new Date(this.#origin + this.#elapsed);
  }
  monotonic(): number {
    return this.#elapsed;
  }
  after(ms: number, callback: () => void): Timer {
    const entry = { at: this.#elapsed + ms, callback };
    this.#timers.push(entry);
    return { cancel: () => (this.#timers = this.#timers.filter((timer) => timer !== entry)) };
  }
  /** Moves time forward and fires what falls due, in order. */
  advance(ms: number): void {
    const target = this.#elapsed + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= target).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#elapsed = Math.max(this.#elapsed, due.at);
      due.callback();
    }
    this.#elapsed = target;
  }
}
