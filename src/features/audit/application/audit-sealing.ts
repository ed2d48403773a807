import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { GENESIS, seal, type CanonicalEvent } from '../domain/chain.js';
import { AuditChainRepository, type Horizon } from '../persistence/audit-chain.repository.js';

const BATCH = 1000;

/**
 * Seals the events of all chains in the order of their ids, apart from the requests that write them. An id is sealed
 * only when no transaction can come with a lower one any more, so that an event without a seal among sealed ones was
 * slipped in.
 */
@Injectable()
export class AuditSealing {
  #awaited: Horizon | undefined;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly chains: AuditChainRepository,
  ) {}

  /**
   * Seals what can be sealed and returns how many events that were. When transactions are still writing it seals nothing
   * and waits for those, and no others, until the next call; so it falls behind the oldest of them, at most. Harmless in
   * several processes at once.
   */
  async run(): Promise<number> {
    const horizon = await this.#settled();
    if (horizon === undefined) return 0;
    for (let total = 0; ;) {
      const sealed = await this.uow.acrossTenants('auditSealing', () => this.#sealSome(horizon));
      total += sealed;
      if (sealed < BATCH) return total;
    }
  }

  async #settled(): Promise<number | undefined> {
    const { id, writers } = await this.uow.acrossTenants('auditSealing', async () => {
      const awaited = this.#awaited;
      if (awaited === undefined) return this.chains.horizon();
      return { id: awaited.id, writers: await this.chains.stillWriting(awaited.writers) };
    });
    this.#awaited = writers.length === 0 ? undefined : { id, writers };
    return writers.length === 0 ? id : undefined;
  }

  async #sealSome(upTo: number): Promise<number> {
    if (!(await this.chains.lockSealing())) return 0;
    const events = await this.chains.unsealed(upTo, BATCH);
    if (events.length === 0) return 0;
    const byChain = new Map<string, CanonicalEvent[]>();
    for (const event of events) {
      const own = byChain.get(event.chain);
      if (own === undefined) byChain.set(event.chain, [event]);
      else own.push(event);
    }
    const heads = await this.chains.heads([...byChain.keys()]);
    const sealed = [...byChain].map(([chain, own]) => [chain, seal(heads.get(chain)?.hash ?? GENESIS, own)] as const);
    await this.chains.addSeals(new Map(sealed));
    return events.length;
  }
}
