/** The complete list of reasons to look across tenants; a contract test compares it with its uses. */
export const CROSS_TENANT = {
  authentication: 'find the key or session behind a credential, before its tenant is known',
  outbox: 'deliver, claim and sweep jobs of all tenants',
  audit: 'write buffered access events of all tenants in one batch',
  auditSealing: 'seal new audit events of all tenants in their order',
  auditRetention: 'remove audit events of all tenants that are too old',
  auditVerification: 'verify the audit events that belong to no tenant',
  bootstrap: 'create and look up tenants',
  reaper: 'find documents whose ingestion stopped without a trace',
  idempotency: 'delete stored answers of all tenants once they have expired',
  webhooks: 'delete deliveries of all tenants that ended long ago',
  generations: 'find passages that an ingestion left behind',
  usage: 'write the units that all tenants used, in one batch, and delete those of long ago',
  policyBundles: 'change the policy bundles of all tenants',
  policyTemplates: 'change the policies that apply to every tenant',
  residency: 'count tenants by the region that they are pinned to',
  expiredGrants: 'delete permissions of all tenants that expired long ago',
  keyRotations: 'announce the keys of all tenants that have to be rotated',
  receipts: 'find receipts for operators, and the tenants whose receipts wait for their chain or have become old',
  moves:
    'freeze and thaw a tenant with the state of its migration; remove archives and previews that were kept long enough',
  purge: 'learn whether a tenant is on hold, as other deletions do',
} as const;

export type CrossTenantReason = keyof typeof CROSS_TENANT;
