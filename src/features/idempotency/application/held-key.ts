import type { Reservation, StoredAnswer } from '../../../kernel/idempotency.js';
import type { Log } from '../../../kernel/log.js';
import type { Clock, Timer } from '../../../kernel/time.js';
import type { UnitOfWork } from '../../../platform/db/index.js';
import { idempotencyErrors } from '../idempotency.errors.js';
import type { Claim, IdempotencyRepository } from '../persistence/idempotency.repository.js';

/** How long a key stays locked after the last sign of life of its owner. */
export const LOCK_MS = 60_000;
const RENEW_MS = LOCK_MS / 3;

/**
 * A key that a request holds while it is worked on. The first change marks the record in its own transaction: from then
 * on nobody can take the key over. Whoever did so before keeps this request from changing anything.
 */
export class HeldKey implements Reservation {
  #timer: Timer;
  #committed = false;
  /** A change was made in a transaction of which it is not known that it ended. */
  #inDoubt = false;
  #ended = false;

  constructor(
    private readonly claim: Claim,
    private readonly records: IdempotencyRepository,
    private readonly uow: UnitOfWork,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#timer = this.#renewLater();
  }

  async changing(): Promise<void> {
    if (this.#committed || this.#ended) return;
    if (!(await this.records.commit(this.claim, LOCK_MS))) throw idempotencyErrors.IDEMPOTENCY_IN_PROGRESS();
    this.#inDoubt = true;
    this.uow.afterCommit(() => {
      this.#committed = true;
      this.#inDoubt = false;
    });
  }

  async complete(answer: StoredAnswer): Promise<void> {
    await this.#end('the answer was not kept for repetitions', () => this.records.complete(this.claim, answer));
  }

  async release(): Promise<void> {
    const release = (): Promise<void> => this.records.release(this.claim, this.#inDoubt);
    await this.#end('a key stays locked for a while', release);
  }

  async #end(failure: string, how: () => Promise<unknown>): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.cancel();
    try {
      if ((await how()) === false) this.log.warn({ record: this.claim.id }, `${failure}: it was taken over`);
    } catch (error) {
      this.log.error({ err: error, record: this.claim.id }, failure);
    }
  }

  #renewLater(): Timer {
    return this.clock.after(RENEW_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    try {
      await this.records.renew(this.claim, LOCK_MS);
    } catch (error) {
      this.log.warn({ err: error, record: this.claim.id }, 'the lock of a key was not renewed');
    }
    if (!this.#ended) this.#timer = this.#renewLater();
  }
}
