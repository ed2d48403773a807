import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

/** By table, the column that tells the age of a row. */
const AGES = { usage_counters: 'period_start', usage_rollups: 'day', quota_soft_cap_events: 'period_start' } as const;

export type UsageTable = keyof typeof AGES;
export const USAGE_TABLES = Object.keys(AGES) as UsageTable[];

@Injectable()
export class OldUsageRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /**
   * Deletes at most `limit` rows that began before the instant, and returns how many.
   *
   * @param tenantId null: of all tenants, in a unit across them.
   */
  async delete(table: UsageTable, before: Date, limit: number, tenantId: string | null): Promise<number> {
    return this.uow.execute(
      `DELETE FROM ${table} WHERE ctid IN (
         SELECT ctid FROM ${table} WHERE ${AGES[table]} < $1 AND ($3::text IS NULL OR tenant_id = $3) LIMIT $2)`,
      [before, limit, tenantId],
    );
  }
}
