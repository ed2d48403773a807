import { Injectable } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { entitlementsOf } from '../domain/entitlement.js';
import { FREE } from '../domain/plan.js';
import { PlansRepository } from '../persistence/plans.repository.js';
import { TenantPlan } from './tenant-plan.js';

/** The plan of the context's tenant, as the database has it. */
@Injectable()
export class TenantPlans {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly plans: PlansRepository,
    private readonly log: Log,
  ) {}

  async load(): Promise<TenantPlan> {
    return this.uow.read(async () => {
      const { features, overrides, ...plan } = await this.plans.current();
      const facts = { tenantId: this.uow.tenantId, ...plan };
      if (features.length > 0) return new TenantPlan(facts, entitlementsOf(features, overrides));
      this.log.warn({ plan_id: plan.planId, tenant_id: facts.tenantId }, 'a plan without features counts as free');
      return new TenantPlan(facts, entitlementsOf(await this.plans.features(FREE), overrides));
    });
  }
}
