import type { Clock, Timer } from '../../../kernel/time.js';

/** Characters. More than this is not held, so that a model which never pauses cannot outrun its reader. */
const MOST_HELD = 16_384;
const TRAILING_HIGH_SURROGATE = /[\uD800-\uDBFF]$/;

/**
 * Joins deltas so that a fast model does not cost one frame per token. The first delta leaves at once; those that come
 * within the window after something left are joined and leave together when the window ends. Never makes the producer
 * wait, never reorders, loses nothing unless `discard` is called.
 */
export class DeltaCoalescer {
  #pending = '';
  #timer: Timer | undefined;
  #lastEmission = -Infinity;

  /**
   * @param windowMs at most this long a delta is held; 0 holds none.
   * @param emit called in the producer's turn or from a timer, never with an empty string. Must not throw.
   */
  constructor(
    private readonly clock: Clock,
    private readonly windowMs: number,
    private readonly emit: (delta: string) => void,
  ) {}

  push(delta: string): void {
    this.#pending += delta;
    if (this.#pending.length >= MOST_HELD) return this.#emitEarly();
    if (delta === '' || this.#timer !== undefined) return;
    const wait = this.#lastEmission + this.windowMs - this.clock.monotonic();
    if (wait <= 0) this.#emitWholeCharacters();
    else this.#timer = this.clock.after(wait, () => this.#onWindowEnd());
  }

  /** Sends what is held. Call it before anything that must come after the text. */
  flush(): void {
    this.#cancelTimer();
    this.#send(this.#pending.length);
  }

  /** Forgets what is held; for a client that has gone. */
  discard(): void {
    this.#cancelTimer();
    this.#pending = '';
  }

  #emitEarly(): void {
    this.#cancelTimer();
    this.#emitWholeCharacters();
  }

  #onWindowEnd(): void {
    this.#timer = undefined;
    this.#emitWholeCharacters();
  }

  /** Half of a surrogate pair waits for the other half: alone it is no text that a client could decode. */
  #emitWholeCharacters(): void {
    this.#send(this.#pending.length - (TRAILING_HIGH_SURROGATE.test(this.#pending) ? 1 : 0));
  }

  #send(length: number): void {
    if (length === 0) return;
    const ready = this.#pending.slice(0, length);
    this.#pending = this.#pending.slice(length);
    this.#lastEmission = this.clock.monotonic();
    this.emit(ready);
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
