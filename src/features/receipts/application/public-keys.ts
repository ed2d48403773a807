import type { PublicKey } from '../domain/signing-keys.js';

/** What third parties verify receipts of this process with. */
export class PublicKeys {
  constructor(readonly keys: readonly PublicKey[]) {}
}
