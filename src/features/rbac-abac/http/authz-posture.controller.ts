import { Controller, Get } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import { AuthzPosture } from '../application/authz-posture.js';

export class AuthzPostureDto {
  /** Always true: the database itself keeps tenants apart. */
  tenant_predicate_required!: true;
  enforcement_mode!: 'rls';
  abac_enabled!: boolean;
  default_deny!: boolean;
  /** Policies in force for every action on everything. */
  wildcard_policies!: number;
  /** Policies in force whose condition cannot be evaluated, which denies. */
  invalid_policies!: number;
}

@Controller('v1/ops/authz')
export class AuthzPostureController {
  constructor(private readonly posture: AuthzPosture) {}

  @Get('posture')
  @Operation({
    id: 'authz.posture',
    summary: 'Get how the tenant is guarded',
    role: 'admin',
    feature: 'feature.ops_admin_access',
    rateClass: 'ops',
    cost: 1,
    returns: AuthzPostureDto,
  })
  async get(): Promise<AuthzPostureDto> {
    const { abacEnabled, defaultDeny, wildcardPolicies, invalidPolicies } = await this.posture.current();
    return {
      tenant_predicate_required: true,
      enforcement_mode: 'rls',
      abac_enabled: abacEnabled,
      default_deny: defaultDeny,
      wildcard_policies: wildcardPolicies,
      invalid_policies: invalidPolicies,
    };
  }
}
