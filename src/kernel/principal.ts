/** Ordered: a role may do whatever the roles below it may do. */
export const ROLES = ['reader', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export function isRole(value: unknown): value is Role {
  return typeof value === 'string' && (ROLES as readonly string[]).includes(value);
}

export function roleAtLeast(role: Role, minimum: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(minimum);
}

export type AuthMethod = 'api_key' | 'sso_session' | 'dev_bypass' | 'system';

/** Who acts. The tenant only ever comes from here. */
export interface Principal {
  readonly subjectId: string;
  readonly tenantId: string;
  readonly role: Role;
  /** API key id, SSO session id, or `dev-bypass`. */
  readonly apiKeyId: string;
  readonly authMethod: AuthMethod;
  readonly subjectType: 'user';
  /** What kind of caller it is to policy bundles; absent, its role says. */
  readonly callerType?: string;
}

/**
 * What some admins may do and others not: `operator` is for effects that cross tenants, `plan_assignment` for plans
 * and quotas, which an installation may leave to its tenants.
 */
export type Authority = 'operator' | 'plan_assignment';
