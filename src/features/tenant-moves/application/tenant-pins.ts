import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { Residency, TenantConfigs } from '../../residency/index.js';
import { movesErrors } from '../tenant-moves.errors.js';

/** Where tenants are pinned to, as seen from this region. */
@Injectable()
export class TenantPins {
  constructor(
    private readonly configs: TenantConfigs,
    private readonly residency: Residency,
  ) {}

  /** @throws residency.not_configured in a process of no region, which serves every tenant wherever it is pinned to. */
  requireZone(): string {
    const { zone } = this.residency;
    if (zone !== undefined) return zone;
    throw movesErrors['residency.not_configured']({
      message: 'This process belongs to no region and serves tenants of all. Set STATEWAVE_REGION.',
    });
  }

  /** As it is stored now; null without a valid one. */
  async of(tenantId: string): Promise<string | null> {
    return inTenant(tenantId, async () => {
      await this.configs.forget(tenantId);
      return this.residency.pin();
    });
  }
}
