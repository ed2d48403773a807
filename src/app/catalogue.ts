import { ApiKeyEntity, authAudit, authErrors, authSettings, UserEntity } from '../features/auth/index.js';
import { idempotencyErrors, IdempotencyRecordEntity, idempotencySettings } from '../features/idempotency/index.js';
import { auditAudit, AuditEventEntity, auditSettings } from '../features/audit/index.js';
import { billingAudit, billingErrors, billingSettings } from '../features/billing/index.js';
import { corporaAudit, CorpusEntity } from '../features/corpora/index.js';
import {
  DocumentEntity,
  DocumentLabelEntity,
  DocumentSourceRemovalEntity,
  IngestJobEntity,
  ingestionAudit,
  ingestionErrors,
  ingestionSettings,
} from '../features/ingestion/index.js';
import { opsAudit } from '../features/ops/index.js';
import {
  PlanEntity,
  PlanFeatureEntity,
  plansAudit,
  plansErrors,
  plansSettings,
  PlanUpgradeRequestEntity,
  TenantFeatureOverrideEntity,
  TenantPlanAssignmentEntity,
} from '../features/plans/index.js';
import {
  PlanLimitsEntity,
  quotasAudit,
  quotasErrors,
  QuotaSoftCapEventEntity,
  quotasSettings,
  UsageCounterEntity,
  UsageRollupEntity,
} from '../features/quotas/index.js';
import { PolicyBundleEntity, policyBundlesAudit, policyBundlesErrors } from '../features/policy-bundles/index.js';
import {
  AuthorizationPolicyEntity,
  AuthorizationPolicyVersionEntity,
  DocumentPermissionEntity,
  rbacAbacAudit,
  rbacAbacErrors,
  rbacAbacSettings,
} from '../features/rbac-abac/index.js';
import { rateLimitsAudit, rateLimitsErrors, rateLimitsSettings } from '../features/rate-limits/index.js';
import {
  ChunkEmbeddingEntity,
  ChunkEntity,
  CorpusIndexEntity,
  CorpusTermEntity,
  HiddenGenerationEntity,
  retrievalAudit,
  retrievalErrors,
  retrievalSettings,
} from '../features/retrieval/index.js';
import {
  CheckpointEntity,
  MessageEntity,
  runAudit,
  runErrors,
  runSettings,
  SessionEntity,
} from '../features/run/index.js';
import { residencyAudit, residencyErrors, residencySettings, TenantConfigEntity } from '../features/residency/index.js';
import {
  ProviderEntity,
  ProviderKeyAuditEventEntity,
  ProviderKeyBindingEntity,
  ProviderKeyEntity,
  ProviderKeyRotationEntity,
  providerKeysAudit,
  providerKeysErrors,
  providerKeysSettings,
  ProviderTierEntity,
} from '../features/provider-keys/index.js';
import { receiptsAudit, receiptsErrors, receiptsSettings } from '../features/receipts/index.js';
import { selfServeAudit } from '../features/self-serve/index.js';
import {
  movesAudit,
  movesErrors,
  movesSettings,
  ResidencyJobEntity,
  ResidencyPartEntity,
  TenantFreezeEntity,
} from '../features/tenant-moves/index.js';
import { TenantEntity } from '../features/tenants/index.js';
import {
  VectorDbAttachmentEntity,
  VectorDbEntity,
  VectorDbIncidentEntity,
  VectorDbIncidentEventEntity,
  VectorDbResidencyPolicyEntity,
  vectorDbsAudit,
  vectorDbsErrors,
  vectorDbsSettings,
} from '../features/vector-dbs/index.js';
import type { AuditEventSet } from '../kernel/audit.js';
import { breakerErrors } from '../kernel/circuit-breaker.js';
import { commonErrors } from '../kernel/common-errors.js';
import { errorDeclaration, type ErrorSpec } from '../kernel/errors.js';
import type { SettingsGroup } from '../kernel/settings.js';
import { apiClientSettings } from '../platform/api-client/index.js';
import { blobStoreErrors, blobStoreSettings } from '../platform/blob-store/index.js';
import { cryptoSettings } from '../platform/crypto/index.js';
import { dbErrors, dbSettings } from '../platform/db/index.js';
import { documentParserErrors, documentParserSettings } from '../platform/document-parser/index.js';
import { httpEgressSettings } from '../platform/http-egress/index.js';
import { httpSettings } from '../platform/http/index.js';
import { modelErrors, modelSettings } from '../platform/model-gateway/index.js';
import { jobsErrors, jobsSettings } from '../platform/jobs/index.js';
import { sharedStateErrors, sharedStateSettings } from '../platform/shared-state/index.js';
import { telemetrySettings } from '../platform/telemetry/index.js';
import { webhookAudit, webhookSettings } from '../platform/webhooks/index.js';

/** Every declaration of the platform and its features, collected. Generators and generic tests read these. */

export const SETTINGS: readonly SettingsGroup[] = [
  httpSettings,
  telemetrySettings,
  dbSettings,
  cryptoSettings,
  sharedStateSettings,
  jobsSettings,
  blobStoreSettings,
  documentParserSettings,
  modelSettings,
  auditSettings,
  httpEgressSettings,
  webhookSettings,
  authSettings,
  residencySettings,
  plansSettings,
  quotasSettings,
  rbacAbacSettings,
  rateLimitsSettings,
  idempotencySettings,
  providerKeysSettings,
  vectorDbsSettings,
  retrievalSettings,
  ingestionSettings,
  receiptsSettings,
  runSettings,
  billingSettings,
  movesSettings,
  apiClientSettings,
];

export const AUDIT_EVENTS: AuditEventSet = {
  ...auditAudit,
  ...authAudit,
  ...residencyAudit,
  ...plansAudit,
  ...rateLimitsAudit,
  ...rbacAbacAudit,
  ...policyBundlesAudit,
  ...quotasAudit,
  ...providerKeysAudit,
  ...corporaAudit,
  ...vectorDbsAudit,
  ...retrievalAudit,
  ...ingestionAudit,
  ...receiptsAudit,
  ...runAudit,
  ...webhookAudit,
  ...billingAudit,
  ...selfServeAudit,
  ...movesAudit,
  ...opsAudit,
};

export const ENTITIES = [
  TenantEntity,
  AuditEventEntity,
  UserEntity,
  TenantConfigEntity,
  ApiKeyEntity,
  PlanEntity,
  PlanFeatureEntity,
  TenantPlanAssignmentEntity,
  TenantFeatureOverrideEntity,
  PlanUpgradeRequestEntity,
  IdempotencyRecordEntity,
  AuthorizationPolicyEntity,
  AuthorizationPolicyVersionEntity,
  PolicyBundleEntity,
  DocumentPermissionEntity,
  PlanLimitsEntity,
  UsageCounterEntity,
  UsageRollupEntity,
  QuotaSoftCapEventEntity,
  ProviderEntity,
  ProviderTierEntity,
  ProviderKeyEntity,
  ProviderKeyRotationEntity,
  ProviderKeyBindingEntity,
  ProviderKeyAuditEventEntity,
  CorpusEntity,
  VectorDbEntity,
  VectorDbResidencyPolicyEntity,
  VectorDbAttachmentEntity,
  VectorDbIncidentEntity,
  VectorDbIncidentEventEntity,
  ChunkEntity,
  ChunkEmbeddingEntity,
  CorpusIndexEntity,
  CorpusTermEntity,
  HiddenGenerationEntity,
  DocumentEntity,
  DocumentLabelEntity,
  DocumentSourceRemovalEntity,
  IngestJobEntity,
  SessionEntity,
  MessageEntity,
  CheckpointEntity,
  ResidencyJobEntity,
  ResidencyPartEntity,
  TenantFreezeEntity,
] as const;

const ERROR_SETS = [
  commonErrors,
  dbErrors,
  sharedStateErrors,
  jobsErrors,
  blobStoreErrors,
  documentParserErrors,
  breakerErrors,
  modelErrors,
  authErrors,
  residencyErrors,
  plansErrors,
  quotasErrors,
  rbacAbacErrors,
  policyBundlesErrors,
  rateLimitsErrors,
  idempotencyErrors,
  providerKeysErrors,
  vectorDbsErrors,
  retrievalErrors,
  ingestionErrors,
  receiptsErrors,
  runErrors,
  billingErrors,
  movesErrors,
];

/** @throws Error when two owners declare one code. */
function collectErrors(): Map<string, ErrorSpec & { owner: string }> {
  const catalogue = new Map<string, ErrorSpec & { owner: string }>();
  for (const set of ERROR_SETS) {
    const { owner, specs } = errorDeclaration(set);
    for (const [code, spec] of Object.entries(specs)) {
      const other = catalogue.get(code);
      if (other !== undefined) throw new Error(`${code} is declared by ${other.owner} and by ${owner}.`);
      catalogue.set(code, { ...spec, owner });
    }
  }
  return catalogue;
}

export const ERRORS: ReadonlyMap<string, ErrorSpec & { readonly owner: string }> = collectErrors();
