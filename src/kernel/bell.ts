import type { Clock } from './time.js';

/** Wakes one waiter. Rung while nobody waits, it makes the next wait end at once. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Forgets an earlier ring. */
  reset(): void {
    this.#rung = false;
  }

  /** Resolves when it is rung, after `ms` at the latest. */
  async wait(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = this.clock.after(ms, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#rung = false;
  }
}
