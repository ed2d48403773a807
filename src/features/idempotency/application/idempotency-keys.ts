import { Inject, Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { Reservation, StoredAnswer } from '../../../kernel/idempotency.js';
import { Ids } from '../../../kernel/ids.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { idempotencyErrors } from '../idempotency.errors.js';
import { idempotencySettings, type IdempotencySettings } from '../idempotency.settings.js';
import { IdempotencyRepository, type Claim, type Found, type Scope } from '../persistence/idempotency.repository.js';
import { HeldKey, LOCK_MS } from './held-key.js';

const PRUNE_BATCH = 5_000;
/** Requests with one key that come and go at the same moment may hide each other's records. */
const MAX_TRIES = 3;

export type Outcome = { readonly reservation: Reservation } | { readonly replay: StoredAnswer };

/** Who works on a request, of all that come with one key. */
@Injectable()
export class IdempotencyKeys {
  constructor(
    private readonly records: IdempotencyRepository,
    private readonly uow: UnitOfWork,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly log: Log,
    @Inject(idempotencySettings.token) private readonly settings: IdempotencySettings,
  ) {}

  /**
   * Reserves the key for this request, or finds the answer that an earlier one got. One round trip.
   *
   * @throws IDEMPOTENCY_KEY_CONFLICT, IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_RESULT_LOST; SERVICE_UNAVAILABLE when the
   * records cannot be asked, since working without protection might repeat an effect.
   */
  async reserve(scope: Scope, requestHash: string): Promise<Outcome> {
    const found = await this.#find(scope, requestHash);
    if (found === undefined) throw idempotencyErrors.IDEMPOTENCY_IN_PROGRESS();
    if (!('state' in found)) {
      return { reservation: new HeldKey(found, this.records, this.uow, this.clock, this.log) };
    }
    if (!found.same) throw idempotencyErrors.IDEMPOTENCY_KEY_CONFLICT();
    if (found.state === 'completed') return { replay: this.#answerOf(found) };
    if (found.state === 'committed' && found.lapsed) throw idempotencyErrors.IDEMPOTENCY_RESULT_LOST();
    throw idempotencyErrors.IDEMPOTENCY_IN_PROGRESS();
  }

  /** Deletes what has expired, in small transactions, and returns how many records that were. */
  async prune(): Promise<number> {
    return this.#inBatches(() => this.records.prune(PRUNE_BATCH));
  }

  /** Does so for the context's tenant and no other. */
  async pruneTenant(): Promise<number> {
    return this.#inBatches(() => this.records.pruneTenant(PRUNE_BATCH));
  }

  async #inBatches(prune: () => Promise<number>): Promise<number> {
    for (let total = 0; ;) {
      const deleted = await prune();
      total += deleted;
      if (deleted < PRUNE_BATCH) return total;
    }
  }

  async #find(scope: Scope, requestHash: string): Promise<Claim | Found | undefined> {
    const terms = { lockMs: LOCK_MS, ttlHours: this.settings.ttlHours };
    try {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const found = await this.records.reserve(scope, requestHash, this.ids.uuid(), terms);
        if (found !== undefined) return found;
      }
      return undefined;
    } catch (cause) {
      throw commonErrors.SERVICE_UNAVAILABLE({ cause });
    }
  }

  #answerOf(found: Found): StoredAnswer {
    try {
      return this.records.answerOf(found);
    } catch (cause) {
      throw idempotencyErrors.IDEMPOTENCY_RESULT_LOST({ cause });
    }
  }
}
