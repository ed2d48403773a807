import { Inject, Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import type { TenantSetup } from '../../tenants/index.js';
import { BASELINE, newPolicyId } from '../domain/stored-policy.js';
import { PoliciesRepository } from '../persistence/policies.repository.js';
import { rbacAbacSettings, type RbacAbacSettings } from '../rbac-abac.settings.js';

/** Gives new tenants policies of their own, to be changed by them: without any, everything would be refused. */
@Injectable()
export class BaselinePolicies implements TenantSetup {
  constructor(
    private readonly policies: PoliciesRepository,
    private readonly ids: Ids,
    @Inject(rbacAbacSettings.token) private readonly settings: RbacAbacSettings,
  ) {}

  async prepare(tenantId: string): Promise<void> {
    if (!this.settings.bootstrapBaselinePolicies) return;
    for (const draft of BASELINE) await this.policies.insert(tenantId, newPolicyId(this.ids), draft, null);
  }
}
