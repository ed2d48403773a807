import { Inject, Injectable } from '@nestjs/common';
import { whenKnown, type Soon } from '../../../kernel/soon.js';
import { Entitlements } from '../../plans/index.js';
import type { PlanLimits } from '../domain/limits.js';
import { quotasSettings, type QuotasSettings } from '../quotas.settings.js';

/** The limits that come with the plan of the context's tenant. Not inside a transaction: the plan may be looked up. */
@Injectable()
export class PlanDefaults {
  constructor(
    private readonly entitlements: Entitlements,
    @Inject(quotasSettings.token) private readonly settings: QuotasSettings,
  ) {}

  current(): Soon<PlanLimits> {
    const { planDefaultLimits: limits } = this.settings;
    return whenKnown(this.entitlements.current(), (plan) => {
      if (plan.has('feature.high_quota_tier')) return limits.enterprise;
      return limits[plan.facts.planId] ?? limits.free;
    });
  }
}
