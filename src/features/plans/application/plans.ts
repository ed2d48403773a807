import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Plan } from '../domain/plan.js';
import { PlansRepository } from '../persistence/plans.repository.js';
import { UpgradeRequestsRepository } from '../persistence/upgrade-requests.repository.js';
import { Entitlements } from './entitlements.js';
import type { TenantPlan } from './tenant-plan.js';
import { TenantPlans } from './tenant-plans.js';

/** The catalogue, and which plan of it the context's tenant is on. */
@Injectable()
export class Plans {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly plans: PlansRepository,
    private readonly requests: UpgradeRequestsRepository,
    private readonly tenantPlans: TenantPlans,
    private readonly entitlements: Entitlements,
    private readonly audit: AuditTrail,
  ) {}

  /** By id. */
  async catalogue(): Promise<Plan[]> {
    return this.uow.read(() => this.plans.catalogue());
  }

  /** Past the cache: whoever changed a plan reads the change, in whichever process. */
  async current(): Promise<TenantPlan> {
    return this.tenantPlans.load();
  }

  /**
   * Puts the tenant on the plan, which approves its request for that plan. What it has made with features of the
   * former plan stays as it is and cannot be used. The plan it is on already changes nothing.
   *
   * @throws NOT_FOUND for a plan that does not exist or is not offered any more.
   */
  async assign(planId: string): Promise<TenantPlan> {
    const tenantId = await this.uow.run(async () => {
      await this.plans.awaitTurn();
      await this.#assign(planId);
      return this.uow.tenantId;
    });
    await this.entitlements.forget(tenantId);
    return this.current();
  }

  /** Puts a tenant that never had a plan on this one. */
  async startOn(planId: string): Promise<void> {
    const tenantId = await this.uow.run(async () => {
      await this.plans.awaitTurn();
      if (!(await this.plans.everAssigned())) await this.#assign(planId);
      return this.uow.tenantId;
    });
    await this.entitlements.forget(tenantId);
  }

  async #assign(planId: string): Promise<void> {
    if (!(await this.plans.isOffered(planId))) {
      throw commonErrors.NOT_FOUND({ message: 'No such plan. GET /v1/admin/plans lists those that there are.' });
    }
    const former = await this.plans.current();
    if (former.isActive && former.planId === planId) return;
    await this.plans.assign(planId);
    await this.requests.approve(planId);
    await this.audit.record({
      event: 'plan.assigned',
      outcome: 'success',
      resourceType: 'plan',
      resourceId: planId,
      metadata: { from: former.planId, to: planId },
    });
  }
}
