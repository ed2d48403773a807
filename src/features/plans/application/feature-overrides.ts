import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { isPlanFeature } from '../../../kernel/plan-features.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { PlansRepository, type Override } from '../persistence/plans.repository.js';
import { Entitlements } from './entitlements.js';

/** Of one feature's config, as JSON. Each process remembers those of many tenants. */
const MAX_CONFIG_CHARS = 8192;

/** What the context's tenant has apart from its plan. */
@Injectable()
export class FeatureOverrides {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly plans: PlansRepository,
    private readonly entitlements: Entitlements,
    private readonly audit: AuditTrail,
  ) {}

  /** Sets what is given; null leaves it to the plan again. @throws VALIDATION_ERROR */
  async set(feature: string, change: Partial<Override>): Promise<void> {
    requireKnown(feature);
    if (change.config != null && JSON.stringify(change.config).length > MAX_CONFIG_CHARS) {
      throw commonErrors.VALIDATION_ERROR({ message: `config_json must be at most ${MAX_CONFIG_CHARS} characters.` });
    }
    await this.#change(feature, () => this.plans.override(feature, change));
  }

  /** Leaves the feature to the plan again; clearing twice is no error. @throws VALIDATION_ERROR for an unknown key. */
  async clear(feature: string): Promise<void> {
    requireKnown(feature);
    await this.#change(feature, async () =>
      (await this.plans.clearOverride(feature)) ? { enabled: null, config: null } : undefined,
    );
  }

  async #change(feature: string, change: () => Promise<Override | undefined>): Promise<void> {
    const tenantId = await this.uow.run(async () => {
      const now = await change();
      if (now !== undefined) {
        await this.audit.record({
          event: 'plan.override.updated',
          outcome: 'success',
          resourceType: 'plan_feature',
          resourceId: feature,
          metadata: { feature_key: feature, enabled: now.enabled, has_config: now.config !== null },
        });
      }
      return this.uow.tenantId;
    });
    await this.entitlements.forget(tenantId);
  }
}

function requireKnown(feature: string): void {
  if (isPlanFeature(feature)) return;
  throw commonErrors.VALIDATION_ERROR({
    message: 'feature_key must be one of the features that GET /v1/admin/plans lists.',
  });
}
