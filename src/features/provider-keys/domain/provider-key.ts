import type { KeyState } from './binding.js';

export const KEY_REF_PROVIDERS = ['local_kms', 'aws_kms', 'gcp_kms', 'vault_transit'] as const;
export const BINDING_TYPES = ['vector_db', 'workspace', 'runtime', 'artifact', 'corpus'] as const;

/** What is known of a key that the customer holds. */
export interface ProviderKey {
  readonly id: string;
  readonly providerId: string;
  readonly alias: string | null;
  readonly state: KeyState;
  readonly rotationDueAt: Date | null;
  /** Of the rotation that waits for its approval. */
  readonly rotationRequestedAt: Date | null;
  readonly attestationDigest: string | null;
  readonly signatureRegistered: boolean;
  readonly attestationVerifiedAt: Date | null;
  readonly activatedAt: Date | null;
  readonly retiredAt: Date | null;
  readonly compromisedAt: Date | null;
  readonly keyRef: string | null;
  readonly keyRefProvider: string | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface KeyRotation {
  readonly id: string;
  readonly keyId: string;
  readonly requestedAt: Date;
  /** Subject that asked, whatever it called itself. */
  readonly requestedBy: string;
  readonly approvedAt: Date | null;
  readonly status: 'pending_approval' | 'approved' | 'failed';
  readonly evidenceUri: string | null;
  readonly requestActorRef: string;
  readonly approvalActorRef: string | null;
  readonly failureReason: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly attestationDigest: string | null;
  /** Whether a known signer signed it; false where only its encoding was looked at. */
  readonly attestationVerified: boolean;
}

export interface KeyBinding {
  readonly id: string;
  readonly keyId: string;
  readonly type: string;
  readonly targetId: string;
  readonly scope: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  readonly revokedReason: string | null;
  readonly version: number;
}
