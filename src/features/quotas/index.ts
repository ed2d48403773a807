export { QuotaEvents, type HardCapBlocked, type SoftCapReached } from './application/quota-events.js';
export { QuotaMeter } from './application/quota-meter.js';
export { Usage, type QuotaSnapshot, type RequestSummary } from './application/usage.js';
export { UsageLedger } from './application/usage-ledger.js';
export { UsagePruning } from './application/usage-pruning.js';
export { ChargeQuota } from './http/charge-quota.guard.js';
export {
  PlanLimitsEntity,
  QuotaSoftCapEventEntity,
  UsageCounterEntity,
  UsageRollupEntity,
} from './persistence/usage.entities.js';
export { quotasAudit } from './quotas.audit.js';
export { quotasErrors } from './quotas.errors.js';
export { QuotasModule } from './quotas.module.js';
export { quotasSettings } from './quotas.settings.js';
