import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import { Residency } from '../../residency/index.js';
import { signed, type Totals, type Verification } from '../domain/manifest.js';
import { RegionKeyring } from './region-keyring.js';
import { TenantPins } from './tenant-pins.js';

/** What this region tells others about a tenant. */
@Injectable()
export class RegionStatements {
  constructor(
    private readonly keyring: RegionKeyring,
    private readonly residency: Residency,
    private readonly pins: TenantPins,
    private readonly clock: Clock,
  ) {}

  /** @param verifiedAt when the tables were read. */
  async of(tenantId: string, exportId: string, tables: Totals, verifiedAt: Date): Promise<Verification> {
    return signed(this.keyring.own(), {
      export_id: exportId,
      tenant_id: tenantId,
      region: this.residency.zone ?? null,
      pin: await this.pins.of(tenantId),
      tables: { ...tables },
      verified_at: verifiedAt.toISOString(),
      issued_at: this.clock.now().toISOString(),
    });
  }
}
