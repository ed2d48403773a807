import { createHmac, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { equalInConstantTime } from '../../../kernel/hash.js';

export const HMAC = 'hmac-sha256-canonical-v1';
export const ED25519 = 'ed25519-canonical-v1';

/** Signs and verifies texts. Which algorithm that is follows from the key. */
export interface SigningKey {
  readonly id: string;
  readonly algorithm: string;
  /** Lower-case hex. */
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
}

export interface Ed25519Key extends SigningKey {
  readonly publicKey: PublicKey;
}

/** What third parties verify with: a key of RFC 8037 in a set of RFC 7517. */
export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

export type SigningStatus = 'ok' | 'unconfigured' | 'key_unavailable' | 'failed';

/** With which key something is to be signed, and why with none. */
export interface KeyChoice {
  readonly requestedKeyId: string | null;
  readonly status: SigningStatus;
  readonly key: SigningKey | undefined;
}

/** PKCS #8 around a 32-byte Ed25519 seed, RFC 8410. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export function hmacKey(id: string, secret: Buffer): SigningKey {
  const signed = (text: string): string => createHmac('sha256', secret).update(text, 'utf8').digest('hex');
  return { id, algorithm: HMAC, sign: signed, verify: (text, given) => equalInConstantTime(signed(text), given) };
}

/** @param seed 32 bytes. */
export function ed25519Key(id: string, seed: Buffer): Ed25519Key {
  const key = createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return {
    ...ed25519Verifier(id, createPublicKey(key)),
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), key).toString('hex'),
    publicKey: { kty: 'OKP', crv: 'Ed25519', x, kid: id, use: 'sig', alg: 'EdDSA' },
  };
}

/** A key that can only verify. @throws when `x` is no public key. */
export function publicEd25519Key({ kid, x }: Pick<PublicKey, 'kid' | 'x'>): SigningKey {
  return ed25519Verifier(kid, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
}

function ed25519Verifier(id: string, key: KeyObject): SigningKey {
  return {
    id,
    algorithm: ED25519,
    sign: () => {
      throw new Error('A public key signs nothing.');
    },
    verify: (text, given) =>
      /^[0-9a-f]{128}$/.test(given) && verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(given, 'hex')),
  };
}

/** The keys of this process. */
export class SigningKeys {
  readonly #keys: ReadonlyMap<string, SigningKey>;

  constructor(keys: readonly SigningKey[]) {
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  find(id: string): SigningKey | undefined {
    return this.#keys.get(id);
  }

  /** @param ids those that are asked for, the first one that is given counts; none: the only key there is. */
  choose(...ids: readonly (string | undefined)[]): KeyChoice {
    const requested = ids.find((id) => id !== undefined) ?? this.#onlyId();
    if (requested === undefined) return { requestedKeyId: null, status: 'unconfigured', key: undefined };
    const key = this.#keys.get(requested);
    return { requestedKeyId: requested, status: key === undefined ? 'key_unavailable' : 'ok', key };
  }

  #onlyId(): string | undefined {
    return this.#keys.size === 1 ? [...this.#keys.keys()][0] : undefined;
  }
}
