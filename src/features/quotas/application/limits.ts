import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { tryContext } from '../../../kernel/context.js';
import { whenKnown, type Soon } from '../../../kernel/soon.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { authErrors, Operators } from '../../auth/index.js';
import { changed, effective, limitsView, raises, UNSET, type LimitChanges } from '../domain/limits.js';
import type { QuotaLimits } from '../domain/quota.js';
import { PlanLimitsRepository } from '../persistence/plan-limits.repository.js';
import { LimitsCache } from './limits-cache.js';
import { PlanDefaults } from './plan-defaults.js';

/** The limits of the context's tenant: what was set, and where nothing was, what comes with its plan. */
@Injectable()
export class Limits {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: PlanLimitsRepository,
    private readonly cache: LimitsCache,
    private readonly defaults: PlanDefaults,
    private readonly operators: Operators,
    private readonly audit: AuditTrail,
  ) {}

  /** As this process remembers them: at most a second, or half a minute without the shared store, behind a change. */
  current(): Soon<QuotaLimits> {
    return whenKnown(this.cache.current(), (stored) =>
      whenKnown(this.defaults.current(), (ofPlan) => effective(stored, ofPlan)),
    );
  }

  async get(): Promise<QuotaLimits> {
    const defaults = await this.defaults.current();
    return effective((await this.uow.read(() => this.rows.find())) ?? UNSET, defaults);
  }

  /** @throws PLATFORM_OPERATOR_REQUIRED for more than before, where tenants may not choose their plan. */
  async update(changes: LimitChanges): Promise<QuotaLimits> {
    const defaults = await this.defaults.current();
    const { tenantId, after } = await this.uow.run(async () => {
      const stored = await this.rows.take();
      const authority = this.#hasAuthority();
      const before = effective(stored, defaults);
      const asked = effective(changed(stored, changes, true), defaults);
      if (raises(before, asked) && !authority) this.#refuse();
      const next = changed(stored, changes, authority);
      const limits = effective(next, defaults);
      await this.rows.save(next);
      await this.audit.record({
        event: 'quota.limits.updated',
        outcome: 'success',
        resourceType: 'quota',
        resourceId: this.uow.tenantId,
        metadata: { before: limitsView(before), after: limitsView(limits) },
      });
      return { tenantId: this.uow.tenantId, after: limits };
    });
    await this.cache.forget(tenantId);
    return after;
  }

  #hasAuthority(): boolean {
    const principal = tryContext()?.principal;
    return principal === undefined || this.operators.has(principal, 'plan_assignment');
  }

  #refuse(): never {
    this.audit.note({
      event: 'rbac.forbidden',
      outcome: 'failure',
      errorCode: 'PLATFORM_OPERATOR_REQUIRED',
      metadata: { required_authority: 'plan_assignment' },
    });
    throw authErrors.PLATFORM_OPERATOR_REQUIRED();
  }
}
