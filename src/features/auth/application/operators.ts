import { Inject, Injectable } from '@nestjs/common';
import type { Authority, Principal } from '../../../kernel/principal.js';
import { authSettings, type AuthSettings } from '../auth.settings.js';

/** Who operates the platform, and what tenants may do without an operator. */
@Injectable()
export class Operators {
  constructor(@Inject(authSettings.token) private readonly settings: AuthSettings) {}

  has({ role, tenantId }: Principal, authority: Authority): boolean {
    if (role !== 'admin') return false;
    return this.#isOperator(tenantId) || (authority === 'plan_assignment' && this.settings.tenantAdminCanAssignPlan);
  }

  #isOperator(tenantId: string): boolean {
    const { operatorTenants, operatorRequired } = this.settings;
    if (operatorTenants.length === 0) return !operatorRequired;
    return operatorTenants.includes('*') || operatorTenants.includes(tenantId);
  }
}
