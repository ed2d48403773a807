/**
 * The features, in order. A feature may import only features that stand before it, and those only through their
 * index. What must flow the other way is an event, or a port declared below and bound in app/.
 * dependency-cruiser reads this list.
 */
export const FEATURES = [
  'tenants',
  'audit',
  'auth',
  'residency',
  'plans',
  'quotas',
  'rate-limits',
  'idempotency',
  'rbac-abac',
  'policy-bundles',
  'provider-keys',
  'corpora',
  'vector-dbs',
  'retrieval',
  'ingestion',
  'receipts',
  'run',
  'billing',
  'self-serve',
  'tenant-moves',
  'ops',
] as const;
