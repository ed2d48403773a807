import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { StoredLimits } from '../domain/limits.js';

/** In the tenant of the current unit. */
@Injectable()
export class PlanLimitsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async find(): Promise<StoredLimits | undefined> {
    return this.uow.first<StoredLimits>(`SELECT ${COLUMNS} FROM plan_limits WHERE tenant_id = $1`, [this.uow.tenantId]);
  }

  /** The row, made if there was none, and locked until the unit ends. */
  async take(): Promise<StoredLimits> {
    await this.uow.execute(
      `INSERT INTO plan_limits (tenant_id, daily_requests_from_plan, monthly_requests_from_plan)
       VALUES ($1, true, true) ON CONFLICT (tenant_id) DO NOTHING`,
      [this.uow.tenantId],
    );
    const [row] = await this.uow.rows<StoredLimits>(
      `SELECT ${COLUMNS} FROM plan_limits WHERE tenant_id = $1 FOR UPDATE`,
      [this.uow.tenantId],
    );
    return row as StoredLimits;
  }

  async save(limits: StoredLimits): Promise<void> {
    await this.uow.execute(
      `UPDATE plan_limits SET daily_requests_limit = $2, monthly_requests_limit = $3, daily_requests_from_plan = $4,
              monthly_requests_from_plan = $5, daily_tokens_limit = $6, monthly_tokens_limit = $7, soft_cap_ratio = $8,
              hard_cap_enabled = $9, granted = $10, updated_at = now()
        WHERE tenant_id = $1`,
      [
        this.uow.tenantId,
        limits.dailyRequests,
        limits.monthlyRequests,
        limits.dailyFromPlan,
        limits.monthlyFromPlan,
        limits.dailyTokens,
        limits.monthlyTokens,
        limits.softCapRatio,
        limits.hardCapEnabled,
        limits.granted,
      ],
    );
  }
}

const COLUMNS = `daily_requests_limit AS "dailyRequests", monthly_requests_limit AS "monthlyRequests",
  daily_requests_from_plan AS "dailyFromPlan", monthly_requests_from_plan AS "monthlyFromPlan",
  daily_tokens_limit AS "dailyTokens", monthly_tokens_limit AS "monthlyTokens", soft_cap_ratio AS "softCapRatio",
  hard_cap_enabled AS "hardCapEnabled", granted`;
