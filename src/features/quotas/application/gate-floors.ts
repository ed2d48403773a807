import { Log } from '../../../kernel/log.js';
import type { Passage, TrafficGate, UsageCounter } from '../../../platform/shared-state/index.js';
import type { Period } from '../domain/period.js';
import { expiryOf, type Counter } from './charge.js';

interface Floor {
  readonly id: string;
  readonly atLeast: number;
  readonly expiresAt: Date;
}

/**
 * What the ledger holds and the gate may not know: it was restarted, or was away. Each floor is kept until the gate was
 * told, and no longer: a gate that loses its counters afterwards must say that it does not know them.
 */
export class GateFloors {
  readonly #floors = new Map<string, Map<string, Floor>>();

  constructor(
    private readonly gate: TrafficGate,
    private readonly log: Log,
  ) {}

  learn(tenantId: string, period: Period, atLeast: number): void {
    const floors = this.#floors.get(tenantId) ?? new Map<string, Floor>();
    const { id } = period;
    this.#floors.set(tenantId, floors.set(id, { id, atLeast, expiresAt: expiryOf(period) }));
  }

  /** Asks with the counters, each with its floor. */
  ask(
    tenantId: string,
    counters: readonly Counter[],
    pass: (counters: readonly UsageCounter[]) => Promise<Passage>,
  ): Promise<Passage> {
    const known = this.#floors.get(tenantId);
    return known === undefined ? pass(counters) : this.#askWith(known, tenantId, counters, pass);
  }

  async #askWith(
    known: ReadonlyMap<string, Floor>,
    tenantId: string,
    counters: readonly Counter[],
    pass: (counters: readonly UsageCounter[]) => Promise<Passage>,
  ): Promise<Passage> {
    const floors = [...known.values()];
    const passage = await pass(
      counters.map((counter) => ({ ...counter, ...floors.find(({ id }) => id === counter.id) })),
    );
    if ('used' in passage && passage.used.length > 0) {
      this.#told(
        tenantId,
        floors.filter(({ id }) => counters.some((counter) => counter.id === id)),
      );
    }
    return passage;
  }

  /** Tells the gate; what it cannot be told now goes with the next requests and flushes. */
  async raise(): Promise<void> {
    await Promise.all([...this.#floors].map(([tenantId, floors]) => this.#raise(tenantId, [...floors.values()])));
  }

  async #raise(tenantId: string, floors: readonly Floor[]): Promise<void> {
    try {
      await this.gate.raise(tenantId, floors);
      this.#told(tenantId, floors);
    } catch (error) {
      this.log.debug({ err: error, tenant_id: tenantId }, 'the gate was not told how much is used');
    }
  }

  #told(tenantId: string, told: readonly Floor[]): void {
    const floors = this.#floors.get(tenantId);
    for (const floor of told) if (floors?.get(floor.id) === floor) floors.delete(floor.id);
    if (floors?.size === 0) this.#floors.delete(tenantId);
  }
}
