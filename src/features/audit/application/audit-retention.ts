import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { auditSettings, type AuditSettings } from '../audit.settings.js';
import { CHAIN_OF_NOBODY } from '../domain/chain.js';
import { AuditChainRepository } from '../persistence/audit-chain.repository.js';
import { RetentionHolds } from './retention-holds.js';

const BATCH = 5000;
const DAY_MS = 86_400_000;

/**
 * Removes events that are older than the retention: of each chain its oldest sealed ones, so that what stays can still
 * be verified. Events of a tenant on hold stay.
 */
@Injectable()
export class AuditRetention {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly chains: AuditChainRepository,
    private readonly holds: RetentionHolds,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    @Inject(auditSettings.token) private readonly settings: Pick<AuditSettings, 'retentionDays'>,
  ) {}

  /** Prunes every chain and returns how many events went. Harmless in several processes at once. */
  async prune(): Promise<number> {
    const cutoff = this.#cutoff();
    const chains = await this.uow.acrossTenants('auditRetention', () => this.chains.agedChains(cutoff));
    let total = 0;
    for (const chain of chains) total += await this.#pruneChain(chain, cutoff);
    return total;
  }

  /** Prunes one tenant and no other. */
  async pruneTenant(tenantId: string): Promise<number> {
    return this.#pruneChain(tenantId, this.#cutoff());
  }

  #cutoff(): Date {
    return new Date(this.clock.now().getTime() - this.settings.retentionDays * DAY_MS);
  }

  async #pruneChain(chain: string, cutoff: Date): Promise<number> {
    for (let total = 0; ;) {
      const removed = await this.uow.acrossTenants('auditRetention', () => this.#pruneSome(chain, cutoff));
      total += removed;
      if (removed === 0) return total;
    }
  }

  /** Each step is a short transaction that leaves the chain whole, and leaves an event of its own. */
  async #pruneSome(chain: string, cutoff: Date): Promise<number> {
    const tenant = chain === CHAIN_OF_NOBODY ? {} : { tenantId: chain };
    if (chain !== CHAIN_OF_NOBODY && (await this.holds.keepAudit(chain))) return 0;
    const removed = await this.chains.prune(chain, cutoff, BATCH);
    if (removed === 0) return 0;
    await this.audit.record({
      event: 'audit.pruned',
      outcome: 'success',
      resourceType: 'audit',
      metadata: { deleted_rows: removed, older_than: cutoff.toISOString() },
      actor: { type: 'system', ...tenant },
    });
    return removed;
  }
}
