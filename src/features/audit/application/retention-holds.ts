/** Port: who may not lose rows now. Implemented by the feature that owns legal holds, bound in app/. */
export abstract class RetentionHolds {
  /**
   * Whether the events of the tenant must be kept, whatever their age. Asked in the transaction that would delete them,
   * which sees all tenants.
   */
  abstract keepAudit(tenantId: string): Promise<boolean>;
  /** Those of the tenant's sessions of which nothing may go; all of a tenant that is on hold as a whole. */
  abstract heldSessions(tenantId: string, sessionIds: readonly string[]): Promise<ReadonlySet<string>>;
}

/** While nothing can put a tenant on hold. */
export const NO_HOLDS: RetentionHolds = {
  keepAudit: () => Promise.resolve(false),
  heldSessions: () => Promise.resolve(new Set<string>()),
};
