import { canonicalForm } from './canonical-form.js';
import { ED25519, HMAC, type SigningKey, type SigningKeys } from './signing-keys.js';

/** A body as it is kept: the bytes that are signed, and the signature, all null without one. */
export interface Signed {
  readonly canonical: string;
  readonly signature: string | null;
  readonly keyId: string | null;
  readonly algorithm: string | null;
}

export interface Verdict {
  /** Null when it cannot be said. */
  readonly valid: boolean | null;
  readonly reason: 'ok' | 'signature_mismatch' | 'no_signature' | 'key_unavailable' | 'unsupported_algorithm';
  readonly keyId: string | null;
  readonly algorithm: string | null;
}

/** The signature covers the names of its key and algorithm. @throws what the key throws. */
export function signed(body: object, key: SigningKey | undefined): Signed {
  const [keyId, algorithm] = [key?.id ?? null, key?.algorithm ?? null];
  const canonical = canonicalForm({
    ...body,
    receipt_signature_key_id: keyId,
    receipt_signature_algorithm: algorithm,
  });
  return { canonical, signature: key?.sign(canonical) ?? null, keyId, algorithm };
}

export function verdictOf({ canonical, signature, keyId, algorithm }: Signed, keys: SigningKeys): Verdict {
  if (signature === null || keyId === null) {
    return { valid: null, reason: 'no_signature', keyId: null, algorithm: null };
  }
  const named = { keyId, algorithm };
  if (algorithm !== HMAC && algorithm !== ED25519) return { valid: null, reason: 'unsupported_algorithm', ...named };
  const key = keys.find(keyId);
  if (key === undefined) return { valid: null, reason: 'key_unavailable', ...named };
  const valid = key.algorithm === algorithm && key.verify(canonical, signature);
  return { valid, reason: valid ? 'ok' : 'signature_mismatch', ...named };
}
