import { Injectable } from '@nestjs/common';
import { runInContext, systemContext } from '../../../kernel/context.js';
import { Ids } from '../../../kernel/ids.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { RetentionHolds } from '../../audit/index.js';
import { TenantConfigs } from '../../residency/index.js';
import { ReceiptChainRepository } from '../persistence/receipt-chain.repository.js';
import { ReceiptRetentionRepository, type AgedReceipt } from '../persistence/receipt-retention.repository.js';

const BATCH = 1000;
const DAY_MS = 86_400_000;

/**
 * Puts receipts away that are older than their tenant keeps them: they are not listed any more, their questions are
 * erased, and they verify as before. Those of sessions on hold stay.
 */
@Injectable()
export class ReceiptRetention {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly receipts: ReceiptRetentionRepository,
    private readonly chains: ReceiptChainRepository,
    private readonly configs: TenantConfigs,
    private readonly holds: RetentionHolds,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly log: Log,
  ) {}

  /** All tenants; one that fails does not keep the others from it. @returns how many receipts were put away. */
  async sweep(): Promise<number> {
    let total = 0;
    for (const tenantId of await this.chains.tenantsWithActive()) {
      try {
        total += await runInContext(systemContext(this.ids.uuid(), tenantId), () => this.#sweepTenant(tenantId));
      } catch (error) {
        this.log.error({ err: error, tenant_id: tenantId }, 'the receipts of a tenant were not put away');
      }
    }
    return total;
  }

  async #sweepTenant(tenantId: string): Promise<number> {
    const { receiptRetentionDays: days } = await this.configs.current();
    const now = this.clock.now();
    const cutoff = new Date(now.getTime() - (days ?? NaN) * DAY_MS);
    // Kept for ever, or for longer than dates go back.
    if (Number.isNaN(cutoff.getTime())) return 0;
    let total = 0;
    for (let after: string | undefined = ''; after !== undefined;) {
      const from: string = after;
      const { aged, gone } = await this.uow.run(() => this.#putAway(tenantId, { now, cutoff, after: from }));
      total += gone;
      after = aged.length < BATCH ? undefined : aged.at(-1)?.receiptId;
    }
    return total;
  }

  async #putAway(
    tenantId: string,
    { now, cutoff, after }: { readonly now: Date; readonly cutoff: Date; readonly after: string },
  ): Promise<{ readonly aged: readonly AgedReceipt[]; readonly gone: number }> {
    const aged = await this.receipts.aged(cutoff, after, BATCH);
    const held = await this.holds.heldSessions(tenantId, [...new Set(aged.map(({ sessionId }) => sessionId))]);
    const free = aged.filter(({ sessionId }) => !held.has(sessionId)).map(({ receiptId }) => receiptId);
    return { aged, gone: free.length === 0 ? 0 : await this.receipts.tombstone(free, now) };
  }
}
