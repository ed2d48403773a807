export { Entitlements } from './application/entitlements.js';
export { PlanEvents, type UpgradeRequested } from './application/plan-events.js';
export { Plans } from './application/plans.js';
export { TenantPlan, type TenantPlanFacts } from './application/tenant-plan.js';
export type { Entitlement } from './domain/entitlement.js';
export { FeatureDto, toFeatureDto } from './http/plans.dto.js';
export { RequireFeature } from './http/require-feature.guard.js';
export {
  PlanEntity,
  PlanFeatureEntity,
  PlanUpgradeRequestEntity,
  TenantFeatureOverrideEntity,
  TenantPlanAssignmentEntity,
} from './persistence/plan.entities.js';
export { plansAudit } from './plans.audit.js';
export { plansErrors } from './plans.errors.js';
export { PlansModule } from './plans.module.js';
export { plansSettings } from './plans.settings.js';
