import { bool, defineSettings, int, list, text, type SettingsOf } from '../../kernel/settings.js';

export const authSettings = defineSettings(
  'auth',
  'Authentication',
  {
    enabled: bool({ env: 'AUTH_ENABLED', default: true, doc: 'Require credentials.' }),
    devBypass: bool({
      env: 'AUTH_DEV_BYPASS',
      default: false,
      doc: 'Local development only: X-Tenant-Id and X-Role stand in for a credential.',
    }),
    header: text({
      env: 'AUTH_API_KEY_HEADER',
      default: 'Authorization',
      pattern: /^[A-Za-z][A-Za-z0-9-]*$/,
      doc: 'Header that carries "Bearer <key>".',
    }),
    cacheTtlSeconds: int({
      env: 'AUTH_CACHE_TTL_S',
      default: 15,
      min: 0,
      max: 300,
      unit: 's',
      doc: 'How long a checked key is remembered. Revocation reaches every process at once all the same; 0 checks each time.',
    }),
    inactiveDays: int({
      env: 'AUTH_API_KEY_INACTIVE_DAYS',
      default: 90,
      min: 0,
      max: 3650,
      unit: 'days',
      doc: 'A key that was not used for this long is refused; 0 never.',
    }),
    inactiveEnforced: bool({
      env: 'AUTH_API_KEY_INACTIVE_ENFORCED',
      default: true,
      doc: 'Off: inactivity is only reported.',
    }),
    operatorTenants: list({
      env: 'PLATFORM_OPERATOR_TENANTS',
      default: [],
      doc: 'Tenants whose admins operate the platform: what they do there reaches every tenant. * is every tenant. Unset: PLATFORM_OPERATOR_REQUIRED decides.',
    }),
    operatorRequired: bool({
      env: 'PLATFORM_OPERATOR_REQUIRED',
      default: false,
      production: true,
      doc: 'Without PLATFORM_OPERATOR_TENANTS: on, nobody operates the platform through the API; off, every admin does.',
    }),
    tenantAdminCanAssignPlan: bool({
      env: 'TENANT_ADMIN_CAN_ASSIGN_PLAN',
      default: true,
      production: false,
      doc: 'Let the admins of a tenant choose its plan and its features. Off: only platform operators.',
    }),
    maxActiveKeys: int({
      env: 'SELF_SERVE_MAX_ACTIVE_KEYS',
      default: 20,
      min: 1,
      max: 10_000,
      unit: 'keys',
      doc: 'Active keys up to which the admins of a tenant may add more. Commands are not bound by it.',
    }),
    allowUnrevoke: bool({
      env: 'API_KEY_ALLOW_UNREVOKE',
      default: false,
      doc: 'An admin may reactivate a revoked key. Off: revocation is for good, and a key can be disabled instead.',
    }),
  },
  [
    ({ devBypass }, mode) =>
      mode === 'production' && devBypass
        ? 'AUTH_DEV_BYPASS must be off in production: it lets anybody act as any tenant.'
        : undefined,
    ({ enabled }, mode) => (mode === 'production' && !enabled ? 'AUTH_ENABLED must be on in production.' : undefined),
  ],
);

export type AuthSettings = SettingsOf<typeof authSettings>;
