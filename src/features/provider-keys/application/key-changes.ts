export interface KeyRevoked {
  readonly keyId: string;
  readonly compromised: boolean;
  /** Every binding of the key that is or was in force when it was revoked. */
  readonly bindingIds: readonly string[];
}

/** Port: those who have to know of keys. */
export abstract class KeyChanges {
  /** In the transaction of the revocation. */
  abstract revoked(event: KeyRevoked): Promise<void>;
  /** After every commit that may change a posture. */
  abstract changed(tenantId: string): void;
}
