/** The complete list of reasons to look across tenants; a contract test compares it with its uses. */
export const CROSS_TENANT = {
  authentication: 'find the key or session behind a credential, before its tenant is known',
  outbox: 'deliver, claim and sweep jobs of all tenants',
  audit: 'write buffered access events of all tenants in one batch',
  bootstrap: 'create and look up tenants',
  reaper: 'find documents whose ingestion stopped without a trace',
  generations: 'find passages that an ingestion left behind',
} as const;

export type CrossTenantReason = keyof typeof CROSS_TENANT;
