import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Bulkhead } from '../../../kernel/bulkhead.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { Clock } from '../../../kernel/time.js';
import { runErrors } from '../run.errors.js';
import { runSettings, type RunSettings } from '../run.settings.js';
import { RunLogs } from './run-logs.js';

/** What one tenant may take when the settings do not say: the rest stays for everybody else. */
const TENANT_SHARE = 0.8;

/** The places in which runs are worked on: a number for the process, a smaller one for each tenant. */
@Injectable()
export class RunSlots implements BeforeApplicationShutdown {
  readonly #slots: number;
  readonly #perTenant: number;
  readonly #bulkhead: Bulkhead;
  /** Only tenants that have one. */
  readonly #taken = new Map<string, number>();
  readonly #interrupt = new AbortController();
  #draining = false;

  constructor(
    private readonly clock: Clock,
    private readonly logs: RunLogs,
    @Inject(runSettings.token) private readonly settings: RunSettings,
  ) {
    this.#slots = settings.bulkheadMaxConcurrency ?? settings.maxConcurrency;
    this.#perTenant = settings.maxConcurrencyPerTenant ?? Math.max(1, Math.floor(this.#slots * TENANT_SHARE));
    this.#bulkhead = new Bulkhead(this.#slots);
  }

  get free(): number {
    return this.#bulkhead.free;
  }

  /** Tenants that hold a slot. */
  get tenants(): number {
    return this.#taken.size;
  }

  /** Aborted with RUN_INTERRUPTED when the process stops and has waited long enough. */
  get interrupted(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** @returns the release of a slot; call it when the run has ended. @throws SERVICE_BUSY, RUN_INTERRUPTED */
  acquire(tenantId: string): () => void {
    if (this.#draining) throw runErrors.RUN_INTERRUPTED();
    if ((this.#taken.get(tenantId) ?? 0) >= this.#perTenant) throw commonErrors.SERVICE_BUSY();
    const release = this.#bulkhead.acquire();
    if (release === undefined) throw commonErrors.SERVICE_BUSY();
    this.#count(tenantId, 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#count(tenantId, -1);
      release();
    };
  }

  /** Takes no more questions, lets open answers finish for a while, interrupts them, and sees their logs written. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#draining = true;
    const deadline = this.clock.monotonic() + this.settings.drainSeconds * 1000;
    while (this.free < this.#slots && this.clock.monotonic() < deadline) await this.clock.sleep(20);
    this.#interrupt.abort(runErrors.RUN_INTERRUPTED());
    while (this.free < this.#slots) await this.clock.sleep(20);
    await this.logs.stop();
  }

  #count(tenantId: string, change: 1 | -1): void {
    const count = (this.#taken.get(tenantId) ?? 0) + change;
    if (count === 0) this.#taken.delete(tenantId);
    else this.#taken.set(tenantId, count);
  }
}
