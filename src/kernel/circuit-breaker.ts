import { defineErrors } from './errors.js';
import type { Clock } from './time.js';

/** For integrations whose owner declares no code of its own for an open breaker. */
export const breakerErrors = defineErrors('integrations', {
  INTEGRATION_UNAVAILABLE: {
    status: 503,
    message: 'A service behind this one keeps failing and is not being called for a while. Retry later.',
    retry: 'later',
  },
});

export type BreakerState = 'closed' | 'open' | 'half_open';

export interface BreakerPolicy {
  /** Failures in a row that open the breaker. */
  readonly failureThreshold: number;
  /** How long it stays open, in ms, before trials are allowed. */
  readonly openMs: number;
  /** Trials that may be under way at once while half open. */
  readonly halfOpenTrials: number;
}

/** Leave to make one call. Settle it exactly once; later settlements do nothing. */
export interface Permit {
  /** The upstream answered well. */
  succeed(): void;
  /** The upstream is at fault: no answer in time, no connection, a 5xx. */
  fail(): void;
  /** Says nothing about the upstream's health: the caller gave up, or the request itself was refused. */
  release(): void;
}

export interface BreakerOptions {
  readonly policy: BreakerPolicy;
  readonly clock: Clock;
  onTransition?(name: string, state: BreakerState): void;
}

/**
 * closed —threshold failures in a row→ open —after `openMs`→ half open —a success→ closed, —a failure→ open.
 *
 * Permits given out before the latest transition no longer count: a slow call from before the breaker opened
 * can neither close it nor reopen it. State lives in this process; each replica judges for itself.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #generation = 0;
  #failures = 0;
  #trials = 0;
  #openedAt = 0;

  /** @param name `<kind>.<provider>`, as in `llm.vertex`; used in logs, audit events and metrics. */
  constructor(
    readonly name: string,
    options: BreakerOptions,
  ) {
    this.#options = options;
  }

  get state(): BreakerState {
    this.#coolDown();
    return this.#state;
  }

  /** Whole seconds until a trial is allowed, at least 1; for `Retry-After`. */
  get retryAfterSeconds(): number {
    if (this.state !== 'open') return 1;
    return Math.max(1, Math.ceil((this.#openedAt + this.#options.policy.openMs - this.#now()) / 1000));
  }

  /** Undefined when the call must not be made. */
  tryEnter(): Permit | undefined {
    const state = this.state;
    if (state === 'open') return undefined;
    if (state === 'half_open') {
      if (this.#trials >= this.#options.policy.halfOpenTrials) return undefined;
      this.#trials += 1;
    }
    return this.#permit(this.#generation);
  }

  /**
   * Makes the call when the breaker allows it.
   *
   * @param isFailure whether the error blames the upstream.
   * @throws INTEGRATION_UNAVAILABLE without calling, when it does not.
   */
  async run<T>(call: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T> {
    const permit = this.tryEnter();
    if (permit === undefined) {
      throw breakerErrors.INTEGRATION_UNAVAILABLE({
        details: { integration: this.name },
        headers: { 'Retry-After': String(this.retryAfterSeconds) },
      });
    }
    try {
      const result = await call();
      permit.succeed();
      return result;
    } catch (error) {
      if (isFailure(error)) permit.fail();
      else permit.release();
      throw error;
    }
  }

  #permit(generation: number): Permit {
    let settled = false;
    const settle = (effect: () => void) => (): void => {
      if (settled) return;
      settled = true;
      if (generation === this.#generation) effect();
    };
    return {
      succeed: settle(() => this.#onSuccess()),
      fail: settle(() => this.#onFailure()),
      release: settle(() => (this.#trials = Math.max(0, this.#trials - 1))),
    };
  }

  #onSuccess(): void {
    this.#failures = 0;
    if (this.#state === 'half_open') this.#enter('closed');
  }

  #onFailure(): void {
    this.#failures += 1;
    if (this.#state === 'half_open' || this.#failures >= this.#options.policy.failureThreshold) this.#enter('open');
  }

  #coolDown(): void {
    if (this.#state === 'open' && this.#now() - this.#openedAt >= this.#options.policy.openMs) this.#enter('half_open');
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#generation += 1;
    this.#failures = 0;
    this.#trials = 0;
    if (state === 'open') this.#openedAt = this.#now();
    this.#options.onTransition?.(this.name, state);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
