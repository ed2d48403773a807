import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Plans, type TenantPlan } from '../../plans/index.js';
import { Usage, type QuotaSnapshot } from '../../quotas/index.js';

/** The plan of the context's tenant, and what is left of its quota; and that somebody asked. */
@Injectable()
export class PlanReport {
  constructor(
    private readonly plans: Plans,
    private readonly usage: Usage,
    private readonly audit: AuditTrail,
  ) {}

  async current(): Promise<{ readonly plan: TenantPlan; readonly quota: QuotaSnapshot }> {
    const plan = await this.plans.current();
    const quota = await this.usage.snapshot();
    const metadata = { plan_id: plan.facts.planId };
    this.audit.note({ event: 'selfserve.plan.viewed', outcome: 'success', metadata });
    return { plan, quota };
  }
}
