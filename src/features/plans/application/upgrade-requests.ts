import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { PlansRepository } from '../persistence/plans.repository.js';
import { UpgradeRequestsRepository } from '../persistence/upgrade-requests.repository.js';
import { PlanEvents } from './plan-events.js';

/** Wishes of tenants for another plan, which somebody looks at. Giving them the plan approves them. */
@Injectable()
export class UpgradeRequests {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly plans: PlansRepository,
    private readonly requests: UpgradeRequestsRepository,
    private readonly events: PlanEvents,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Asking again while the request is pending gives the same one.
   *
   * @returns its id.
   * @throws NOT_FOUND for a plan that is not offered.
   */
  async open(targetPlan: string, reason: string | null, requestedBy: string): Promise<number> {
    return this.uow.run(async () => {
      await this.plans.awaitTurn();
      if (!(await this.plans.isOffered(targetPlan))) {
        throw commonErrors.NOT_FOUND({ message: 'This plan is not offered any more.' });
      }
      const { planId: currentPlan } = await this.plans.current();
      const pending = await this.requests.pending(targetPlan);
      if (pending !== undefined) return pending;
      const requestId = await this.requests.insert({ currentPlan, targetPlan, reason, requestedBy });
      await this.audit.record({
        event: 'plan.upgrade_requested',
        outcome: 'success',
        resourceType: 'plan',
        resourceId: targetPlan,
        metadata: { current_plan: currentPlan, target_plan: targetPlan, reason },
      });
      await this.events.upgradeRequested({ requestId, tenantId: this.uow.tenantId, currentPlan, targetPlan, reason });
      return requestId;
    });
  }
}
