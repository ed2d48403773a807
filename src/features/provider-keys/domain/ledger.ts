import type { KeyState } from './binding.js';

/** What can happen to a key; each is an audit event `provider_key.<type>`, too. */
export type LedgerType =
  | 'registered'
  | 'activation_approved'
  | 'rotation_requested'
  | 'rotation_approved'
  | 'rotation_failed'
  | 'rotation_sla_warning'
  | 'rotation_sla_breached'
  | 'revocation_initiated'
  | 'revocation_completed'
  | 'binding_attached'
  | 'binding_revoked'
  | 'runtime_veto';

/** Those after which a key may let more or less happen. */
export const CHANGES_POSTURE: readonly LedgerType[] = [
  'registered',
  'activation_approved',
  'rotation_requested',
  'rotation_approved',
  'rotation_failed',
  'revocation_completed',
  'binding_revoked',
];

/** An entry of the ledger. Ids of one provider grow in the order in which the entries became visible. */
export interface KeyEvent {
  readonly id: number;
  readonly providerId: string;
  readonly keyId: string | null;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly occurredAt: Date;
  /** Of the key as it is now; null for an event of no key. */
  readonly keyState: KeyState | null;
}
