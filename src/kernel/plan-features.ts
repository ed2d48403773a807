/** What a plan can switch on, sorted. */
export const PLAN_FEATURES = [
  'feature.audit_access',
  'feature.billing_webhook_test',
  'feature.byok',
  'feature.chargeback_reports',
  'feature.corpora_patch_provider_config',
  'feature.cost_controls',
  'feature.cost_visibility',
  'feature.high_quota_tier',
  'feature.identity.jit',
  'feature.identity.scim',
  'feature.identity.sso',
  'feature.ops_admin_access',
  'feature.retrieval.aws_bedrock',
  'feature.retrieval.gcp_vertex',
  'feature.retrieval.local_pgvector',
  'feature.tts',
  'feature.vector_db_governance',
] as const;

export type PlanFeature = (typeof PLAN_FEATURES)[number];

export function isPlanFeature(key: string): key is PlanFeature {
  return (PLAN_FEATURES as readonly string[]).includes(key);
}
