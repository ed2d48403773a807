import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

export interface NewUpgradeRequest {
  readonly currentPlan: string;
  readonly targetPlan: string;
  readonly reason: string | null;
  readonly requestedBy: string;
}

@Injectable()
export class UpgradeRequestsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async pending(targetPlan: string): Promise<number | undefined> {
    const row = await this.uow.first<{ id: string }>(
      `SELECT id FROM plan_upgrade_requests WHERE tenant_id = $1 AND target_plan_id = $2 AND status = 'pending'`,
      [this.uow.tenantId, targetPlan],
    );
    return row === undefined ? undefined : Number(row.id);
  }

  async insert({ currentPlan, targetPlan, reason, requestedBy }: NewUpgradeRequest): Promise<number> {
    const row = await this.uow.first<{ id: string }>(
      `INSERT INTO plan_upgrade_requests (tenant_id, current_plan_id, target_plan_id, reason, requested_by_actor_id)
       VALUES ($1, $2, $3, $4, $5) RETURNING id`,
      [this.uow.tenantId, currentPlan, targetPlan, reason, requestedBy],
    );
    return Number(row?.id);
  }

  /** The tenant was given the plan that it asked for. */
  async approve(targetPlan: string): Promise<void> {
    await this.uow.execute(
      `UPDATE plan_upgrade_requests SET status = 'approved', updated_at = now()
        WHERE tenant_id = $1 AND target_plan_id = $2 AND status = 'pending'`,
      [this.uow.tenantId, targetPlan],
    );
  }
}
