import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { RetentionHolds } from '../../audit/index.js';
import { FILES, isMoving, purged } from '../domain/tenant-tables.js';
import { MovingRowsRepository } from '../persistence/moving-rows.repository.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { TenantPins } from './tenant-pins.js';

const SAMPLE = 20;

/** When a tenant may be purged, and what that would delete. */
@Injectable()
export class PurgeConditions {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly stored: ResidencyJobsRepository,
    private readonly rows: MovingRowsRepository,
    private readonly pins: TenantPins,
    private readonly holds: RetentionHolds,
  ) {}

  /**
   * @returns the region that the tenant is in now.
   * @throws residency.purge_not_migrated, residency.not_configured, LEGAL_HOLD_ACTIVE
   */
  async require(tenantId: string): Promise<string> {
    const zone = this.pins.requireZone();
    const region = await this.pins.of(tenantId);
    if (region === null || region === zone) throw movesErrors['residency.purge_not_migrated']();
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
   * A row that came after everything was compared must not be deleted unseen. There may be fewer: maintenance goes on
   * here, and a purge that failed has deleted a part.
   *
   * @throws residency.checksum_mismatch when there are more rows than a migration moved.
   */
  async requireMoved(tenantId: string): Promise<void> {
    const migration = await this.uow.read(() => this.stored.latest(tenantId, 'migration'));
    if (migration?.state !== 'cooldown') return;
    const { totals } = await this.contents(tenantId);
    const moved = migration.counts as Record<string, number>;
    const tables = Object.keys(totals).filter(
      (table) => table !== FILES && isMoving(table) && (totals[table] ?? 0) > (moved[table] ?? 0),
    );
    if (tables.length > 0) throw movesErrors['residency.checksum_mismatch']({ details: { tables } });
  }
}
