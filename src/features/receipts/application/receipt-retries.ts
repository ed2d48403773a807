import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { runInContext, systemContext } from '../../../kernel/context.js';
import { Ids } from '../../../kernel/ids.js';
import { Log } from '../../../kernel/log.js';
import { Clock, type Timer } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import type { Signed } from '../domain/signature.js';
import { ReceiptsRepository, type NewReceipt } from '../persistence/receipts.repository.js';

/** Receipts that wait at most; those beyond are lost, and the log names them. */
const MOST_WAITING = 500;
const MOST_PAUSE_MS = 60_000;
/** How long a receipt is tried again: a receipts table that is away for longer needs its operator. */
const INSIST_MS = 15 * 60_000;

/** Where copies are. Larger ones wait in their process only. */
const COPIES = 'receipts.missing:';
const MOST_COPIED_BYTES = 128 * 1024;

/** A receipt, or its outcome, that is not stored yet. */
export interface Missing {
  readonly tenantId: string;
  readonly receiptId: string;
  readonly content: NewReceipt | Signed;
}

interface Waiting {
  readonly missing: Missing;
  readonly until: number;
}

/**
 * Stores receipts and outcomes later that could not be stored when their answers were given. They wait in this process,
 * as a queue in the database would be away together with the table that refused them; a copy in the shared state is for
 * the next process that starts, in case this one dies. What is given up is in the log and, as `receipt.emission_failed`,
 * in the audit trail.
 */
@Injectable()
export class ReceiptRetries implements OnApplicationBootstrap, OnApplicationShutdown {
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #pauseMs = 1000;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly receipts: ReceiptsRepository,
    private readonly state: SharedState,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly log: Log,
  ) {}

  /** Takes over what other processes could not store. Who still lives stores it as well: whoever is second changes nothing. */
  onApplicationBootstrap(): void {
    const adopt = async (): Promise<void> => {
      for (const copy of Object.values(await this.state.list(COPIES))) this.#wait(restored(copy));
    };
    adopt().catch((error: unknown) =>
      this.log.warn({ err: error }, 'receipts of other processes are not looked after'),
    );
  }

  add(missing: Missing): void {
    this.#wait(missing);
    const copy = JSON.stringify(missing);
    if (copy.length > MOST_COPIED_BYTES) return;
    this.#copied(missing, () => this.state.set(copyOf(missing), copy, INSIST_MS / 1000));
  }

  #wait(missing: Missing): void {
    if (this.#waiting.length >= MOST_WAITING) return this.#giveUp(missing);
    this.#waiting.push({ missing, until: this.clock.monotonic() + INSIST_MS });
    this.#schedule();
  }

  /** Tries all that wait once. */
  async flush(): Promise<void> {
    const tried = this.#waiting;
    this.#waiting = [];
    for (const waiting of tried) {
      if (await this.#stored(waiting.missing)) continue;
      if (this.clock.monotonic() < waiting.until) this.#waiting.push(waiting);
      else this.#giveUp(waiting.missing);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#running;
    this.#timer?.cancel();
    await this.flush();
    for (const { missing } of this.#waiting) this.#giveUp(missing);
  }

  #schedule(): void {
    this.#timer ??= this.clock.after(this.#pauseMs, () => {
      this.#running = this.flush().then(() => {
        this.#timer = undefined;
        this.#pauseMs = this.#waiting.length === 0 ? 1000 : Math.min(2 * this.#pauseMs, MOST_PAUSE_MS);
        if (this.#waiting.length > 0) this.#schedule();
      });
    });
  }

  async #stored(missing: Missing): Promise<boolean> {
    const { tenantId, receiptId, content } = missing;
    const store = (): Promise<void> =>
      'row' in content ? this.receipts.insert(content) : this.receipts.insertOutcome(receiptId, content);
    try {
      await runInContext(systemContext(this.ids.uuid(), tenantId), () => this.uow.outside(() => this.uow.read(store)));
    } catch {
      return false;
    }
    this.#copied(missing, () => this.state.delete(copyOf(missing)));
    return true;
  }

  #copied({ tenantId, receiptId }: Missing, change: () => Promise<void>): void {
    change().catch((error: unknown) => {
      this.log.warn({ err: error, tenant_id: tenantId, receipt_id: receiptId }, 'a missing receipt has no true copy');
    });
  }

  #giveUp({ tenantId, receiptId }: Missing): void {
    this.log.error({ tenant_id: tenantId, receipt_id: receiptId }, 'receipt_lost');
  }
}

function copyOf({ tenantId, receiptId, content }: Missing): string {
  return `${COPIES}${tenantId}:${receiptId}:${'row' in content ? 'receipt' : 'outcome'}`;
}

/** As a process of this installation wrote it; bytes come back as JSON tells them. */
function restored(copy: string): Missing {
  const bytes = (_: string, value: unknown): unknown => (isBuffer(value) ? Buffer.from(value.data) : value);
  return JSON.parse(copy, bytes) as Missing;
}

function isBuffer(value: unknown): value is ReturnType<Buffer['toJSON']> {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}
