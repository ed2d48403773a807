export type KeyState = 'pending_registration' | 'active' | 'rotating' | 'retired' | 'compromised';

/** A binding with its key, locked against change for the transaction that attaches through it. */
export interface AttachableBinding {
  readonly id: string;
  readonly bindingType: string;
  readonly targetId: string;
  readonly scope: Readonly<Record<string, unknown>>;
  readonly keyId: string;
  readonly keyState: KeyState;
  readonly rotationDueAt: Date | null;
}

/** What the key of a binding lets a workload do now. */
export interface BindingPosture {
  readonly bindingId: string;
  readonly keyId: string;
  readonly providerId: string;
  readonly state: KeyState;
  readonly rotationDueAt: Date | null;
  readonly bindingRevoked: boolean;
  /** As 18 §9: `rotation-overdue`, `not-active`, …, without the prefix. */
  readonly notes: readonly string[];
  /** Whether the notes stop a workload whose tier needs a key. */
  readonly vetoed: boolean;
  readonly workloadStatus: 'pending-key-rotation' | 'pending-key-activation' | 'pending-key-registration' | null;
}
