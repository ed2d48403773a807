import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { RetentionHolds } from '../../audit/index.js';
import { Residency, TenantConfigs } from '../../residency/index.js';
import { FILES, isMoving, purged } from '../domain/tenant-tables.js';
import { MovingRowsRepository } from '../persistence/moving-rows.repository.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { movesErrors } from '../tenant-moves.errors.js';

const SAMPLE = 20;

/** When a tenant may be purged, and what that would delete. */
@Injectable()
export class PurgeConditions {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly stored: ResidencyJobsRepository,
    private readonly rows: MovingRowsRepository,
    private readonly configs: TenantConfigs,
    private readonly residency: Residency,
    private readonly holds: RetentionHolds,
  ) {}

  /**
   * @returns the region that the tenant is in now.
   * @throws residency.purge_not_migrated, LEGAL_HOLD_ACTIVE
   */
  async require(tenantId: string): Promise<string> {
    const region = await inTenant(tenantId, async () => {
      await this.configs.forget(tenantId);
      return this.residency.pin();
    });
    if (region === null || region === this.residency.zone) throw movesErrors['residency.purge_not_migrated']();
    if (await this.uow.acrossTenants('purge', () => this.holds.keepAudit(tenantId)))
      throw movesErrors.LEGAL_HOLD_ACTIVE();
    return region;
  }

  async contents(tenantId: string): Promise<{ totals: Record<string, number>; matched: number; sample: string[] }> {
    return inTenant(tenantId, () =>
      this.uow.read(async () => {
        const totals = await this.rows.count(purged().map(({ table }) => table));
        const sample = await this.rows.someDocuments(SAMPLE);
        return { totals, matched: Object.values(totals).reduce((sum, rows) => sum + rows, 0), sample };
      }),
    );
  }

  /**
   * A change that came after everything was compared must not be deleted unseen.
   *
   * @throws residency.checksum_mismatch when a migration moved other rows than there are.
   */
  async requireMoved(tenantId: string): Promise<void> {
    const migration = await this.uow.read(() => this.stored.latest(tenantId, 'migration'));
    if (migration?.state !== 'cooldown') return;
    const { totals } = await this.contents(tenantId);
    const moved = migration.counts as Record<string, number>;
    const tables = Object.keys(totals).filter(
      (table) => table !== FILES && isMoving(table) && (totals[table] ?? 0) !== (moved[table] ?? 0),
    );
    if (tables.length > 0) throw movesErrors['residency.checksum_mismatch']({ details: { tables } });
  }
}
