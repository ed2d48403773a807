import { createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

export type AttestationMode = 'encoding_only' | 'verify';

/** Of a digest: SHA-256. */
const DIGEST_BYTES = 32;
/** An attestation of an HSM with its certificates fits. */
const MAX_SIGNATURE_BYTES = 64 * 1024;
const MAX_SIGNERS = 10;

export type AttestationFault = 'missing' | 'encoding';

/** What is wrong with an attestation as it was sent. Its length is looked at before its text. */
export function attestationFault(digest: string, signature: string): AttestationFault | undefined {
  if (digest.trim() === '' || signature.trim() === '') return 'missing';
  const encoded = isBase64(digest, DIGEST_BYTES) && isBase64(signature, MAX_SIGNATURE_BYTES);
  return encoded && Buffer.from(digest, 'base64').length === DIGEST_BYTES ? undefined : 'encoding';
}

function isBase64(text: string, maxBytes: number): boolean {
  return text.length <= Math.ceil(maxBytes / 3) * 4 && Buffer.from(text, 'base64').toString('base64') === text;
}

const coordinate = z.string().regex(/^[\w-]{43}$/);
const names = {
  kid: z.string().max(256).optional(),
  alg: z.string().max(16).optional(),
  use: z.literal('sig').optional(),
};
const jwks = z.strictObject({
  keys: z
    .array(
      z.discriminatedUnion('kty', [
        z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate, ...names }),
        z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate, ...names }),
      ]),
    )
    .min(1)
    .max(MAX_SIGNERS),
});

/** Public keys that attestations are signed with, as a JWK set. */
export type Signers = z.infer<typeof jwks>;

/** Undefined for anything but a set of public Ed25519 and P-256 keys; a private key is none. */
export function signersOf(input: unknown): Signers | undefined {
  const parsed = jwks.safeParse(input);
  return parsed.success && parsed.data.keys.every((key) => publicKey(key) !== undefined) ? parsed.data : undefined;
}

/** Whether one of the signers signed the digest: Ed25519, or ES256 as JOSE writes it. */
export function isSigned(digest: string, signature: string, { keys }: Signers): boolean {
  const [data, given] = [Buffer.from(digest, 'base64'), Buffer.from(signature, 'base64')];
  return keys.some((jwk) => {
    const key = publicKey(jwk);
    if (key === undefined) return false;
    return jwk.kty === 'OKP'
      ? verify(null, data, key, given)
      : verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, given);
  });
}

/** Undefined for a point that is not on the curve. */
function publicKey(jwk: Signers['keys'][number]): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}
