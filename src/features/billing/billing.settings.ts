import {
  bool,
  defineSettings,
  int,
  secret,
  url,
  type Mode,
  type Secret,
  type SettingsOf,
} from '../../kernel/settings.js';
import { egressPolicy, targetFault } from '../../platform/http-egress/index.js';
import { secretFault } from '../../platform/webhooks/index.js';

export const billingSettings = defineSettings(
  'billing',
  'Billing webhook',
  {
    enabled: bool({
      env: 'BILLING_WEBHOOK_ENABLED',
      default: false,
      doc: 'Tells the billing system of quota and plan events. Deliveries that wait when it is switched off are cancelled.',
    }),
    url: url(['https', 'http'], {
      env: 'BILLING_WEBHOOK_URL',
      default: undefined,
      secret: true,
      doc: 'Receiver of billing events. Plain HTTP and private addresses in development only.',
    }),
    secret: secret({
      env: 'BILLING_WEBHOOK_SECRET',
      doc: 'Signs every delivery. whsec_<base64>, or any text; at least 16 bytes in production.',
    }),
    previousSecret: secret({
      env: 'BILLING_WEBHOOK_SECRET_PREVIOUS',
      doc: 'The former secret while receivers change to the new one: deliveries are signed with both.',
    }),
    timeoutMs: int({
      env: 'BILLING_WEBHOOK_TIMEOUT_MS',
      default: 2_000,
      min: 100,
      max: 60_000,
      unit: 'ms',
      doc: 'Limit of one attempt, from looking the name up to the answer. EXT_CALL_TIMEOUT_MS is the limit where it is shorter.',
    }),
    maxAttempts: int({
      env: 'BILLING_WEBHOOK_MAX_ATTEMPTS',
      default: 5,
      min: 1,
      max: 20,
      doc: 'Attempts before a delivery is dead. WEBHOOK_RETRY_DELAYS_S has the waits between them.',
    }),
  },
  [
    (values, mode) => named('BILLING_WEBHOOK_URL', values.url && targetFault(values.url, egressPolicy({}, mode))),
    (values, mode) => named('BILLING_WEBHOOK_SECRET', faultOf(values.secret, mode)),
    (values, mode) => named('BILLING_WEBHOOK_SECRET_PREVIOUS', faultOf(values.previousSecret, mode)),
    (values, mode) =>
      mode === 'production' && values.enabled && (values.url === undefined || values.secret === undefined)
        ? 'BILLING_WEBHOOK_URL and BILLING_WEBHOOK_SECRET are required when BILLING_WEBHOOK_ENABLED is true.'
        : undefined,
  ],
);

export type BillingSettings = SettingsOf<typeof billingSettings>;

function faultOf(value: Secret | undefined, mode: Mode): string | undefined {
  return value && secretFault(value, mode === 'production' ? 16 : 1);
}

function named(env: string, fault: string | undefined): string | undefined {
  return fault && `${env} ${fault}.`;
}
