import type { Clock, Timer } from '../../kernel/time.js';

/** Another worker may have the job by now. */
export class LeaseLost extends Error {
  constructor() {
    super('The lease of this job was lost.');
    this.name = 'LeaseLost';
  }
}

/**
 * Keeps a claimed job by renewing its lease every third of it. `signal` aborts when the lease is taken away, or runs
 * out because renewing fails or hangs: from that moment another worker may run the job.
 */
export class Lease {
  readonly #controller = new AbortController();
  #renewal: Timer;
  #expiry: Timer;
  #stopped = false;
  #lost = false;

  constructor(
    private readonly renew: () => Promise<boolean>,
    private readonly leaseMs: number,
    private readonly clock: Clock,
  ) {
    this.#renewal = this.#renewLater();
    this.#expiry = clock.after(leaseMs, () => this.#lose());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  get lost(): boolean {
    return this.#lost;
  }

  /** Aborts the signal for a reason of the process's own; the lease goes on until `stop`. */
  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  stop(): void {
    this.#stopped = true;
    this.#renewal.cancel();
    this.#expiry.cancel();
  }

  #renewLater(): Timer {
    return this.clock.after(this.leaseMs / 3, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const asked = this.clock.monotonic();
    const held = await this.renew().catch(() => undefined);
    if (this.#stopped) return;
    if (held === false) return this.#lose();
    if (held === true) {
      this.#expiry.cancel();
      const left = this.leaseMs - (this.clock.monotonic() - asked);
      this.#expiry = this.clock.after(left, () => this.#lose());
    }
    this.#renewal = this.#renewLater();
  }

  #lose(): void {
    this.#lost = true;
    this.stop();
    this.#controller.abort(new LeaseLost());
  }
}
