/**
 * Port: bytes by key, for what is too large for a row. The store knows no tenants and encrypts nothing; callers put
 * the tenant in the key and hand over ciphertext where that is called for.
 *
 * Every method throws BLOB_STORE_UNAVAILABLE when the store cannot do its work now, and InvalidBlobKey for a key
 * that `assertBlobKey` refuses.
 */
export abstract class BlobStore {
  /**
   * Stores `bytes` durably under `key`, replacing what is there. Readers see the old bytes or the new ones, never a
   * mixture, also when the process dies half way. `bytes` must not change before the promise settles.
   */
  abstract put(key: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when nothing is stored under the key. An empty blob is not a missing one. */
  abstract get(key: string): Promise<Uint8Array | undefined>;
  /** Succeeds as well when nothing is stored under the key. */
  abstract delete(key: string): Promise<void>;
  /** Resolves when the store can serve requests; for readiness checks. */
  abstract ping(): Promise<void>;
}
