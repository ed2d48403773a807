import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import { Clock, type Timer } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { TrafficGate, type Passage, type UsageCounter } from '../../../platform/shared-state/index.js';
import { periodAt } from '../domain/period.js';
import { UsageRepository, type UsageDelta } from '../persistence/usage.repository.js';
import type { Charge } from './charge.js';
import { GateFloors } from './gate-floors.js';

const FLUSH_EVERY_MS = 1000;

type Batch = ReadonlyMap<string, UsageDelta>;

export type KnownPassage = Exclude<Passage, { readonly outcome: 'unknown' }>;

/**
 * Carries what was used to the ledger in the database: added up in this process, which bounds what waits, and written
 * every second in one statement. What a flush finds in the ledger is told to the gate, so that one that lost its
 * counters, or was away, has them again.
 */
@Injectable()
export class UsageLedger implements OnModuleInit, OnApplicationShutdown {
  #waiting = new Map<string, UsageDelta>();
  /** Its commit was sent, and no answer came. */
  #inDoubt: { readonly batch: Batch; readonly transaction: string } | undefined;
  readonly #floors: GateFloors;
  #flushing: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(
    private readonly usage: UsageRepository,
    private readonly uow: UnitOfWork,
    gate: TrafficGate,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#floors = new GateFloors(gate, log);
  }

  onModuleInit(): void {
    this.#schedule();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.flush();
  }

  /** Takes the units down, to be written within a second. */
  add({ tenantId, day, routeClass, units, requests }: UsageDelta): void {
    const key = JSON.stringify([tenantId, day, routeClass]);
    const sum = this.#waiting.get(key) ?? { units: 0, requests: 0 };
    this.#waiting.set(key, {
      tenantId,
      day,
      routeClass,
      units: sum.units + units,
      requests: sum.requests + requests,
    });
  }

  /**
   * Writes all that was added before the call. Never rejects: what could not be written stays for the next time, and
   * is written once, also when the answer to a commit was lost.
   */
  async flush(): Promise<void> {
    await this.#flushing;
    this.#flushing ??= this.uow.outside(() => this.#flush()).finally(() => (this.#flushing = undefined));
    await this.#flushing;
  }

  /**
   * Asks the gate for the units of a charge. When it does not know the counters, tells it how they stand, and asks
   * again. In the tenant's context.
   *
   * @param pass one call of the gate.
   */
  ask(charge: Charge, pass: (counters: readonly UsageCounter[]) => Promise<Passage>): Promise<KnownPassage> {
    const ask = (): Promise<Passage> => this.#floors.ask(charge.tenantId, charge.counters(), pass);
    return ask().then((passage) => (passage.outcome === 'unknown' ? this.#tell(charge, ask) : passage));
  }

  async #tell(charge: Charge, ask: () => Promise<Passage>): Promise<KnownPassage> {
    await this.flush();
    this.#learn(charge, await this.uow.read(() => this.usage.used(charge.periods)));
    const second = await ask();
    if (second.outcome === 'unknown') throw new Error('The gate does not know counters that it was told.');
    return second;
  }

  /** Counts the units here, for want of a gate, or says that they do not fit. In the tenant's context. */
  async charge(charge: Charge): Promise<boolean> {
    await this.flush();
    const { periods, units } = charge;
    const limits = charge.counters().map(({ limit }) => limit);
    const { passed, used } = await this.uow.run(() => this.usage.charge(periods, units, limits));
    this.#learn(charge, used);
    charge.used = used;
    charge.countedIn = 'ledger';
    return passed;
  }

  async #flush(): Promise<void> {
    try {
      await this.#resolveDoubt();
      if (this.#waiting.size > 0) await this.#write();
    } catch (error) {
      this.log.error({ err: error, waiting: this.#waiting.size }, 'usage not written; kept for later');
    }
    await this.#floors.raise();
  }

  async #write(): Promise<void> {
    const batch = this.#waiting;
    const sent: { transaction?: string | undefined } = {};
    this.#waiting = new Map();
    try {
      const counters = await this.uow.acrossTenants('usage', async () => {
        delete sent.transaction;
        const added = await this.usage.add([...batch.values()]);
        sent.transaction = added.transaction;
        return added.counters;
      });
      for (const { tenantId, type, start, used } of counters) {
        this.#floors.learn(tenantId, periodAt(type, start), used);
      }
    } catch (error) {
      // A commit is sent only after its statement was answered.
      if (sent.transaction === undefined) this.#putBack(batch);
      else this.#inDoubt = { batch, transaction: sent.transaction };
      throw error;
    }
  }

  /** @throws Error while it cannot be known. */
  async #resolveDoubt(): Promise<void> {
    if (this.#inDoubt === undefined) return;
    const { batch, transaction } = this.#inDoubt;
    const committed = await this.uow.acrossTenants('usage', () => this.usage.hasCommitted(transaction));
    if (committed === undefined) throw new Error('The commit of a batch is still under way.');
    if (!committed) this.#putBack(batch);
    this.#inDoubt = undefined;
  }

  #putBack(batch: Batch): void {
    for (const delta of batch.values()) this.add(delta);
  }

  #learn({ tenantId, periods }: Charge, used: readonly number[]): void {
    for (const [index, period] of periods.entries()) this.#floors.learn(tenantId, period, used[index] ?? 0);
  }

  #schedule(): void {
    this.#timer = this.clock.after(FLUSH_EVERY_MS, () => {
      void this.flush().finally(() => {
        if (this.#timer !== undefined) this.#schedule();
      });
    });
  }
}
