/** Port: what a tenant has from the beginning. Implemented by the feature that owns it, bound in app/. */
export abstract class TenantSetup {
  /** In the transaction that creates the tenant, which sees all tenants. */
  abstract prepare(tenantId: string): Promise<void>;
}
