import { describe, expect, it } from '@jest/globals';
import type { Authority, Role } from '../../../kernel/principal.js';
import { loadSettings } from '../../../kernel/settings.js';
import { authSettings } from '../auth.settings.js';
import { Operators } from './operators.js';

function may(env: Record<string, string>, authority: Authority, tenantId = 'customer', role: Role = 'admin'): boolean {
  const operators = new Operators(loadSettings(env, [authSettings]).get(authSettings));
  const principal = { subjectId: 'u', apiKeyId: 'k', authMethod: 'api_key', subjectType: 'user' } as const;
  return operators.has({ ...principal, tenantId, role }, authority);
}

const PRODUCTION = { NODE_ENV: 'production' };

describe('a platform operator', () => {
  it.each([
    ['every admin outside production', {}, true],
    ['nobody in production', PRODUCTION, false],
    ['every admin under the development bypass', { AUTH_DEV_BYPASS: 'true' }, true],
    ['only who is listed', { PLATFORM_OPERATOR_TENANTS: 'ops' }, false],
    [
      'only who is listed, also under the development bypass',
      { PLATFORM_OPERATOR_TENANTS: 'ops', AUTH_DEV_BYPASS: 'true' },
      false,
    ],
    ['every admin where all are listed', { ...PRODUCTION, PLATFORM_OPERATOR_TENANTS: '*' }, true],
    ['every admin where none is required', { ...PRODUCTION, PLATFORM_OPERATOR_REQUIRED: 'false' }, true],
    [
      'only who is listed, also where none is required',
      { PLATFORM_OPERATOR_TENANTS: 'ops', PLATFORM_OPERATOR_REQUIRED: 'false' },
      false,
    ],
    ['nobody where one is required and none listed', { PLATFORM_OPERATOR_REQUIRED: 'true' }, false],
  ])('is %s', (_name, env, expected) => expect(may(env, 'operator')).toBe(expected));

  it('is an admin of a listed tenant, and nobody of a smaller role', () => {
    const env = { ...PRODUCTION, PLATFORM_OPERATOR_TENANTS: 'ops, support' };
    expect(may(env, 'operator', 'support')).toBe(true);
    expect(may(env, 'operator', 'support', 'editor')).toBe(false);
    expect(may({}, 'operator', 'customer', 'editor')).toBe(false);
  });
});

describe('a plan', () => {
  it.each([
    ['by every admin outside production', {}, true],
    ['not by tenants in production', PRODUCTION, false],
    ['by tenants in production when allowed', { ...PRODUCTION, TENANT_ADMIN_CAN_ASSIGN_PLAN: 'true' }, true],
    ['by operators in any case', { ...PRODUCTION, PLATFORM_OPERATOR_TENANTS: 'customer' }, true],
    [
      'by nobody else when tenants may not',
      { TENANT_ADMIN_CAN_ASSIGN_PLAN: 'false', PLATFORM_OPERATOR_TENANTS: 'ops' },
      false,
    ],
  ])('is assigned %s', (_name, env, expected) => expect(may(env, 'plan_assignment')).toBe(expected));

  it('lets nobody become an operator who may assign one', () => {
    const env = { ...PRODUCTION, TENANT_ADMIN_CAN_ASSIGN_PLAN: 'true' };
    expect(may(env, 'operator')).toBe(false);
    expect(may(env, 'plan_assignment', 'customer', 'editor')).toBe(false);
  });
});
