import { Injectable } from '@nestjs/common';
import { Entitlements } from '../../plans/index.js';
import { TenantPolicies } from '../../rbac-abac/index.js';
import { TenantConfigs } from '../../residency/index.js';

/** What processes remember of a tenant and an import has changed. What is not named here they forget within half a minute. */
@Injectable()
export class TenantCaches {
  constructor(
    private readonly configs: TenantConfigs,
    private readonly plans: Entitlements,
    private readonly policies: TenantPolicies,
  ) {}

  async forget(tenantId: string): Promise<void> {
    await this.configs.forget(tenantId);
    await this.plans.forget(tenantId);
    await this.policies.forget(tenantId);
  }
}
