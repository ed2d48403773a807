export interface KeyRevoked {
  readonly keyId: string;
  readonly compromised: boolean;
  /** Every binding of the key that is in force when it is revoked, or was before. */
  readonly bindingIds: readonly string[];
}

/** Port: those who have to know of keys. */
export abstract class KeyChanges {
  /** In the transaction of the revocation. */
  abstract revoked(event: KeyRevoked): Promise<void>;
  /** After every commit that may change a posture. */
  abstract changed(tenantId: string): void;
}
