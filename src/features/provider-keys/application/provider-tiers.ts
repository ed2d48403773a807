import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ProvidersRepository } from '../persistence/providers.repository.js';
import { ProviderTiersRepository, type ProviderTier } from '../persistence/provider-tiers.repository.js';
import { KeyChanges } from './key-changes.js';
import { noSuchProvider } from './providers.js';

/** Which classifications and plans need a usable key, and of which provider. */
export type StoredTier = ProviderTier;

@Injectable()
export class ProviderTiers {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly tiers: ProviderTiersRepository,
    private readonly providers: ProvidersRepository,
    private readonly audit: AuditTrail,
    private readonly changes: KeyChanges,
  ) {}

  /** @throws NOT_FOUND */
  async get(tier: string): Promise<ProviderTier> {
    const found = await this.uow.read(() => this.tiers.find(tier));
    if (found === undefined) throw commonErrors.NOT_FOUND({ message: 'No such tier.' });
    return found;
  }

  /** @throws NOT_FOUND for a provider that there is not. */
  async put(tier: string, providerId: string, byokRequired: boolean): Promise<ProviderTier> {
    return this.uow.run(async () => {
      if ((await this.providers.find(providerId)) === undefined) throw noSuchProvider();
      const written = await this.tiers.put(tier, providerId, byokRequired);
      await this.#record('updated', tier, { tier, provider_id: providerId, byok_required: byokRequired });
      return written;
    });
  }

  /** Nothing changes when nothing was decided. */
  async delete(tier: string): Promise<void> {
    await this.uow.run(async () => {
      if (await this.tiers.delete(tier)) await this.#record('deleted', tier, { tier });
    });
  }

  async #record(what: 'updated' | 'deleted', tier: string, metadata: Readonly<Record<string, unknown>>): Promise<void> {
    await this.audit.record({
      event: `provider_tier.${what}`,
      outcome: 'success',
      resourceType: 'provider_tier',
      resourceId: tier,
      metadata,
    });
    const { tenantId } = this.uow;
    this.uow.afterCommit(() => this.changes.changed(tenantId));
  }
}
