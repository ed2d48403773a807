import { Inject, Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { checkCondition } from '../domain/condition-limits.js';
import { PoliciesRepository } from '../persistence/policies.repository.js';
import { rbacAbacSettings, type RbacAbacSettings } from '../rbac-abac.settings.js';

export interface Posture {
  readonly abacEnabled: boolean;
  readonly defaultDeny: boolean;
  /** Of the policies in force in the tenant: those for every action on everything. */
  readonly wildcardPolicies: number;
  /** And those whose condition would be refused today. Evaluated they deny. */
  readonly invalidPolicies: number;
}

/** How the context's tenant is guarded. */
@Injectable()
export class AuthzPosture {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly policies: PoliciesRepository,
    @Inject(rbacAbacSettings.token) private readonly settings: RbacAbacSettings,
  ) {}

  async current(): Promise<Posture> {
    const found = await this.uow.read(() => this.policies.inForce(this.uow.tenantId));
    const { abacEnabled, defaultDeny, maxPolicyBytes: maxBytes, maxPolicyDepth: maxDepth } = this.settings;
    return {
      abacEnabled,
      defaultDeny,
      wildcardPolicies: found.filter(({ resourceType, action }) => resourceType === '*' && action === '*').length,
      invalidPolicies: found.filter(({ condition }) => !checkCondition(condition, { maxBytes, maxDepth }).ok).length,
    };
  }
}
