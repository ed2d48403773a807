import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import type { PlanFeature } from '../../../kernel/plan-features.js';
import type { Soon } from '../../../kernel/soon.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { TenantCache } from '../../../platform/tenant-cache/index.js';
import { plansSettings, type PlansSettings } from '../plans.settings.js';
import type { TenantPlan } from './tenant-plan.js';
import { TenantPlans } from './tenant-plans.js';

/** Tenants. */
const CAPACITY = 10_000;

/** What the tenant of the context may use, remembered by each process. */
@Injectable()
export class Entitlements implements OnModuleInit {
  readonly #plans: TenantCache<TenantPlan>;

  constructor(
    plans: TenantPlans,
    uow: UnitOfWork,
    state: SharedState,
    clock: Clock,
    log: Log,
    @Inject(plansSettings.token) { cacheTtlSeconds }: PlansSettings,
  ) {
    this.#plans = new TenantCache(
      {
        channel: 'plans.changed',
        ttlSeconds: cacheTtlSeconds,
        capacity: CAPACITY,
        endOf: ({ facts }) => facts.effectiveTo,
        load: () => plans.load(),
      },
      { uow, state, clock, log },
    );
  }

  async onModuleInit(): Promise<void> {
    await this.#plans.listen();
  }

  /** @throws FEATURE_NOT_ENABLED, and as `current` does. */
  async require(feature: PlanFeature): Promise<void> {
    (await this.current()).require(feature);
  }

  /**
   * At once when it is remembered. Not inside a transaction, which would wait for another request's lookup: ask first,
   * and use what this answers.
   *
   * @throws AUTHZ_RLS_GUARD_FAILED without a tenant in the context; SERVICE_UNAVAILABLE when the database is away.
   */
  current(): Soon<TenantPlan> {
    return this.#plans.current();
  }

  /** Has every process look the tenant up again. Best effort: the change is made, and no entry outlives its time. */
  async forget(tenantId: string): Promise<void> {
    await this.#plans.forget(tenantId);
  }
}
