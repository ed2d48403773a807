import { bool, defineSettings, int, text, type SettingsOf } from '../../kernel/settings.js';

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
