import type { Pin } from './pin.js';

export const RECEIPT_MODES = ['always', 'on_request', 'never'] as const;
export const POLICY_MODES = ['log_only', 'enforce'] as const;
export const RECEIPT_ENFORCEMENTS = ['best_effort', 'required'] as const;
export const EGRESS_MODES = ['off', 'monitor', 'block'] as const;

/** What is decided about a tenant as a whole; what is absent is left to the settings of the installation. */
export interface TenantConfig {
  readonly region: Pin;
  readonly receipts?: (typeof RECEIPT_MODES)[number] | undefined;
  readonly receiptRetentionDays?: number | undefined;
  readonly receiptSigningKeyId?: string | undefined;
  readonly receiptEnforcement?: (typeof RECEIPT_ENFORCEMENTS)[number] | undefined;
  readonly policyMode: (typeof POLICY_MODES)[number];
  readonly egressMode?: (typeof EGRESS_MODES)[number] | undefined;
}

/** A change as it is sent, under the names that are stored. What is absent stays as it is. */
export interface ConfigChanges {
  readonly receipts?: (typeof RECEIPT_MODES)[number];
  readonly receipt_retention_days?: number;
  readonly receipt_signing_key_id?: string;
  readonly policy_mode?: (typeof POLICY_MODES)[number];
  readonly require_caller_identity?: boolean;
  /** Empty: unpin. */
  readonly region?: string;
  readonly receipt_enforcement?: (typeof RECEIPT_ENFORCEMENTS)[number];
  readonly egress_mode?: (typeof EGRESS_MODES)[number];
}

export const STORED_KEYS = [
  'receipts',
  'receipt_retention_days',
  'receipt_signing_key_id',
  'policy_mode',
  'require_caller_identity',
  'region',
  'receipt_enforcement',
  'egress_mode',
] as const satisfies readonly (keyof ConfigChanges)[];

/** What only operators decide: what the tenant itself must not loosen. */
export const OPERATOR_KEYS = [
  'region',
  'receipt_signing_key_id',
  'receipt_enforcement',
  'egress_mode',
] as const satisfies readonly (keyof ConfigChanges)[];

/** A demand for signed receipts, which operators make, would be worth nothing if the tenant could have none written. */
export function loosensReceipts(stored: Readonly<Record<string, unknown>>, { receipts }: ConfigChanges): boolean {
  return stored['receipt_enforcement'] === 'required' && receipts !== undefined && receipts !== 'always';
}

/** Shallow: whatever else is stored stays, keys of other versions included. */
export function mergeConfig(
  stored: Readonly<Record<string, unknown>>,
  changes: ConfigChanges,
): Readonly<Record<string, unknown>> {
  const merged = { ...stored, ...changes };
  if (changes.region === '') delete merged.region;
  return merged;
}

/** A stored configuration; a value that is not valid counts as absent, but for the pin, which is judged as it is. */
export function tenantConfigOf(stored: Readonly<Record<string, unknown>>): TenantConfig {
  const days = stored['receipt_retention_days'];
  const keyId = stored['receipt_signing_key_id'];
  return {
    region: stored['region'],
    receipts: oneOf(RECEIPT_MODES, stored['receipts']),
    receiptRetentionDays: Number.isInteger(days) && (days as number) > 0 ? (days as number) : undefined,
    receiptSigningKeyId: typeof keyId === 'string' ? keyId : undefined,
    receiptEnforcement: oneOf(RECEIPT_ENFORCEMENTS, stored['receipt_enforcement']),
    policyMode: oneOf(POLICY_MODES, stored['policy_mode']) ?? 'log_only',
    egressMode: oneOf(EGRESS_MODES, stored['egress_mode']),
  };
}

function oneOf<T extends string>(values: readonly T[], value: unknown): T | undefined {
  return values.find((known) => known === value);
}
