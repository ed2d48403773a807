import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Period } from '../domain/period.js';

/** What was announced already, for the tenant of the current unit. */
@Injectable()
export class QuotaMarksRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** @returns whether it was not marked before. Two that mark at once wait for each other, and one of them is first. */
  async markSoftCap(period: Period): Promise<boolean> {
    const added = await this.uow.execute(
      `INSERT INTO quota_soft_cap_events (tenant_id, id, period_type, period_start, metric)
       VALUES ($1, $2, $3, $4, 'requests') ON CONFLICT (tenant_id, period_type, period_start, metric) DO NOTHING`,
      [this.uow.tenantId, period.id, period.type, period.start],
    );
    return added === 1;
  }

  /** @returns whether it was not marked after `before`. */
  async markHardCap({ type, start }: Period, now: Date, before: Date): Promise<boolean> {
    const marked = await this.uow.execute(
      `INSERT INTO usage_counters AS c (tenant_id, period_type, period_start, hard_cap_noticed_at)
       VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, period_type, period_start)
         DO UPDATE SET hard_cap_noticed_at = $4 WHERE coalesce(c.hard_cap_noticed_at, '-infinity'::timestamptz) <= $5`,
      [this.uow.tenantId, type, start, now, before],
    );
    return marked === 1;
  }
}
