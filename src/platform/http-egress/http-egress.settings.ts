import { defineSettings, oneOf, type Mode, type SettingsOf } from '../../kernel/settings.js';
import type { EgressPolicy } from './allowed-target.js';

export const httpEgressSettings = defineSettings(
  'http-egress',
  'Calls to addresses that others choose',
  {
    allowPrivate: oneOf(['true', 'false'], {
      env: 'WEBHOOK_ALLOW_PRIVATE_ADDRESSES',
      default: undefined,
      doc: 'Webhooks may go to loopback and private networks, and over plain HTTP. Unset: in development only. Production refuses true.',
    }),
  },
  [
    ({ allowPrivate }, mode) =>
      mode === 'production' && allowPrivate === 'true'
        ? 'WEBHOOK_ALLOW_PRIVATE_ADDRESSES must not be true in production: whoever sets an address could reach your network.'
        : undefined,
  ],
);

export type HttpEgressSettings = SettingsOf<typeof httpEgressSettings>;

export function egressPolicy({ allowPrivate }: Partial<HttpEgressSettings>, mode: Mode): EgressPolicy {
  return { allowPrivate: mode === 'development' && allowPrivate !== 'false' };
}
