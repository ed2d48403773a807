import { bool, defineSettings, int, oneOf, secret, text, type Secret, type SettingsOf } from '../../kernel/settings.js';
import { ED25519_KEYS, HMAC_KEYS, readKeys } from './domain/key-settings.js';
import type { Ed25519Key, SigningKey } from './domain/signing-keys.js';

const HMAC_ENV = 'STATEWAVE_RECEIPT_SIGNING_KEYS';
const ED25519_ENV = 'RECEIPT_ED25519_KEYS';

export const receiptsSettings = defineSettings(
  'receipts',
  'Receipts',
  {
    disabled: bool({
      env: 'STATEWAVE_RECEIPTS_DISABLED',
      default: false,
      doc: 'Emergency: write no receipts at all, whatever tenants and requests say.',
    }),
    defaultMode: oneOf(['always', 'on_request', 'never'], {
      env: 'RECEIPTS_DEFAULT_MODE',
      default: 'always',
      doc: 'Whether answers leave receipts where neither the tenant nor the request says so.',
    }),
    signingKeys: secret({
      env: HMAC_ENV,
      doc: 'Keys that sign receipts with HMAC-SHA-256: a JSON object of key ids to base64 of at least 32 bytes, such as {"k-2026-01":"…"}. Make one with: openssl rand -base64 32. Of this region only. Keep old keys: without them old receipts cannot be verified.',
    }),
    ed25519Keys: secret({
      env: ED25519_ENV,
      doc: 'Keys that sign receipts with Ed25519, for verification by third parties: a JSON object of key ids to base64 of 32 bytes. Their public halves are at /.well-known/receipt-keys.json.',
    }),
    defaultKeyId: text({
      env: 'RECEIPT_DEFAULT_SIGNING_KEY_ID',
      default: undefined,
      pattern: /^[A-Za-z0-9._-]{1,64}$/,
      doc: 'Key for tenants that name none. Unset: the only key there is; of several, none.',
    }),
    localKey: bool({
      env: 'RECEIPT_LOCAL_KEY_ENABLED',
      default: true,
      production: false,
      doc: 'Where no keys are given, sign with one that is made in the data folder.',
    }),
    retentionScanSeconds: int({
      env: 'RECEIPT_RETENTION_SCAN_S',
      default: 3600,
      min: 1,
      max: 86_400,
      unit: 's',
      doc: 'How often receipts are put away that are older than their tenant keeps them.',
    }),
    chainLagSeconds: int({
      env: 'RECEIPT_CHAIN_LAG_S',
      default: 60,
      min: 0,
      max: 86_400,
      unit: 's',
      doc: 'Age at which receipts join the chain of their tenant. Shorter than an answer may take, some join out of the order of their ids.',
    }),
  },
  [
    ({ signingKeys }) => faultOf(HMAC_ENV, readKeys(jsonOf(signingKeys), HMAC_KEYS)),
    ({ ed25519Keys }) => faultOf(ED25519_ENV, readKeys(jsonOf(ed25519Keys), ED25519_KEYS)),
    (values) => {
      const { hmac, ed25519 } = keysOf(values);
      const ids = [...hmac, ...ed25519].map(({ id }) => id);
      return new Set(ids).size === ids.length ? undefined : `${ED25519_ENV} must not have key ids of ${HMAC_ENV}`;
    },
  ],
);

export type ReceiptsSettings = SettingsOf<typeof receiptsSettings>;

/** The keys that are given; none of a setting that is at fault, with which no process starts. */
export function keysOf({ signingKeys, ed25519Keys }: Pick<ReceiptsSettings, 'signingKeys' | 'ed25519Keys'>): {
  readonly hmac: readonly SigningKey[];
  readonly ed25519: readonly Ed25519Key[];
} {
  const [hmac, ed25519] = [readKeys(jsonOf(signingKeys), HMAC_KEYS), readKeys(jsonOf(ed25519Keys), ED25519_KEYS)];
  return { hmac: typeof hmac === 'string' ? [] : hmac, ed25519: typeof ed25519 === 'string' ? [] : ed25519 };
}

function jsonOf(keys: Secret | undefined): string {
  return keys?.reveal() ?? '{}';
}

function faultOf(env: string, read: string | readonly SigningKey[]): string | undefined {
  return typeof read === 'string' ? `${env} ${read}` : undefined;
}
