import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { runInContext, systemContext } from '../../../kernel/context.js';
import { Ids } from '../../../kernel/ids.js';
import { Log } from '../../../kernel/log.js';
import { Clock, type Timer } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ReceiptsRepository, type NewReceipt } from '../persistence/receipts.repository.js';

/** Receipts that wait at most; those beyond are lost, and the log names them. */
const MOST_WAITING = 500;
const MOST_PAUSE_MS = 60_000;
/** How long a receipt is tried again: a receipts table that is away for longer needs its operator. */
const INSIST_MS = 15 * 60_000;

interface Waiting {
  readonly receipt: NewReceipt;
  readonly until: number;
}

/**
 * Stores receipts later that could not be stored when their answers were given. They wait in this process: a queue in
 * the database would be away together with the table that refused them. What is lost with the process, or given up, is in
 * the log and, as `receipt.emission_failed`, in the audit trail.
 */
@Injectable()
export class ReceiptRetries implements OnApplicationShutdown {
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #pauseMs = 1000;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly receipts: ReceiptsRepository,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly log: Log,
  ) {}

  add(receipt: NewReceipt): void {
    if (this.#waiting.length >= MOST_WAITING) return this.#giveUp(receipt);
    this.#waiting.push({ receipt, until: this.clock.monotonic() + INSIST_MS });
    this.#schedule();
  }

  /** Tries all that wait once. */
  async flush(): Promise<void> {
    const tried = this.#waiting;
    this.#waiting = [];
    for (const waiting of tried) {
      if (await this.#stored(waiting.receipt)) continue;
      if (this.clock.monotonic() < waiting.until) this.#waiting.push(waiting);
      else this.#giveUp(waiting.receipt);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.#timer?.cancel();
    await this.flush();
    for (const { receipt } of this.#waiting) this.#giveUp(receipt);
  }

  #schedule(): void {
    this.#timer ??= this.clock.after(this.#pauseMs, () => {
      void this.flush().then(() => {
        this.#timer = undefined;
        this.#pauseMs = this.#waiting.length === 0 ? 1000 : Math.min(2 * this.#pauseMs, MOST_PAUSE_MS);
        if (this.#waiting.length > 0) this.#schedule();
      });
    });
  }

  async #stored(receipt: NewReceipt): Promise<boolean> {
    try {
      await runInContext(systemContext(this.ids.uuid(), receipt.row.tenant_id), () =>
        this.uow.outside(() => this.uow.read(() => this.receipts.insert(receipt))),
      );
      return true;
    } catch {
      return false;
    }
  }

  #giveUp({ row }: NewReceipt): void {
    this.log.error({ tenant_id: row.tenant_id, receipt_id: row.receipt_id }, 'receipt_lost');
  }
}
