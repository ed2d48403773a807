import { SystemClock } from '../../../src/kernel/time.js';

/** The real time, plus what a test adds. Timers run as they always do. */
export class ShiftedClock extends SystemClock {
  #shiftMs = 0;

  override now(): Date {
    return new Date(super.now().getTime() + this.#shiftMs);
  }

  override monotonic(): number {
    return super.monotonic() + this.#shiftMs;
  }

  advance(seconds: number): void {
    this.#shiftMs += seconds * 1000;
  }
}
