export { parseBundle } from './application/parse-bundle.js';
export { Screens } from './application/screens.js';
export type { Bundle, BundleResult } from './domain/bundle.js';
export { labelsOf } from './domain/labels.js';
export {
  screen,
  type AppliedFilter,
  type Caller,
  type PolicyMode,
  type Screen,
  type Screening,
  type SkippedFilter,
} from './domain/screening.js';
export { PolicyBundlesModule } from './policy-bundles.module.js';
export { PolicyBundleEntity } from './persistence/policy-bundle.entity.js';
export { policyBundlesAudit } from './policy-bundles.audit.js';
export { policyBundlesErrors } from './policy-bundles.errors.js';
