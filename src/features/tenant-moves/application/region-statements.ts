import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { Clock } from '../../../kernel/time.js';
import { Residency } from '../../residency/index.js';
import { signed, type Totals, type Verification } from '../domain/manifest.js';
import { RegionKeyring } from './region-keyring.js';

/** What this region tells others about a tenant. */
@Injectable()
export class RegionStatements {
  constructor(
    private readonly keyring: RegionKeyring,
    private readonly residency: Residency,
    private readonly clock: Clock,
  ) {}

  async of(tenantId: string, exportId: string, tables: Totals): Promise<Verification> {
    return signed(this.keyring.own(), {
      export_id: exportId,
      tenant_id: tenantId,
      region: this.residency.zone ?? null,
      pin: await inTenant(tenantId, () => this.residency.pin()),
      tables: { ...tables },
      issued_at: this.clock.now().toISOString(),
    });
  }
}
