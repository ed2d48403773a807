import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';

/*
 * Every region has one secret of 32 random bytes. A signing key (Ed25519) and a key to receive with (X25519) are derived
 * from it, and their public halves together are the text that other regions are given.
 *
 * What is sealed for a region is one message under one key: an X25519 key is made for it and forgotten, and
 * HKDF-SHA-256 over the shared secret gives the key of AES-256-GCM. No key seals twice, so the nonce is constant, and
 * what is sealed anew after an interruption cannot collide with what was sealed before. The context, which names the
 * export and the place in it, is authenticated: a message opens at its place and nowhere else.
 */

const SECRET_BYTES = 32;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NONCE = Buffer.alloc(12);
/** Of keys in DER, before the 32 bytes of the key itself. */
const PRIVATE = { ed25519: '302e020100300506032b657004220420', x25519: '302e020100300506032b656e04220420' };
const PUBLIC = { ed25519: '302a300506032b6570032100', x25519: '302a300506032b656e032100' };

type Curve = keyof typeof PUBLIC;

/** Not for this region, not at this place, or changed. */
export class CannotUnseal extends Error {
  constructor(cause: unknown) {
    super('The sealed bytes are for another region or place, or were changed.', { cause });
    this.name = 'CannotUnseal';
  }
}

/** The keys of this region. */
export class RegionKeys {
  readonly #signing: KeyObject;
  readonly #receiving: KeyObject;
  /** For the settings of other regions. */
  readonly publicText: string;

  /** @param secret 32 bytes in base64. @throws Error for anything else. */
  constructor(secret: string) {
    const bytes = Buffer.from(secret, 'base64');
    if (bytes.length !== SECRET_BYTES)
      throw new Error('A region secret is 32 bytes in base64: openssl rand -base64 32');
    this.#signing = privateKey('ed25519', bytes);
    this.#receiving = privateKey('x25519', bytes);
    this.publicText = Buffer.concat([raw(this.#signing), raw(this.#receiving)]).toString('base64url');
  }

  sign(text: string): string {
    return sign(null, Buffer.from(text), this.#signing).toString('base64url');
  }

  /** @throws CannotUnseal */
  unseal(sealed: Uint8Array, context: string): Buffer {
    try {
      const ephemeral = sealed.subarray(0, KEY_BYTES);
      const end = sealed.length - TAG_BYTES;
      const shared = diffieHellman({ privateKey: this.#receiving, publicKey: publicKey('x25519', ephemeral) });
      const decipher = createDecipheriv('aes-256-gcm', messageKey(shared, ephemeral, raw(this.#receiving)), NONCE)
        .setAAD(Buffer.from(context))
        .setAuthTag(sealed.subarray(end));
      return Buffer.concat([decipher.update(sealed.subarray(KEY_BYTES, end)), decipher.final()]);
    } catch (cause) {
      throw new CannotUnseal(cause);
    }
  }
}

/** The public keys of a region. */
export class PeerKeys {
  readonly #verifying: KeyObject;
  readonly #sending: KeyObject;

  /** @param publicText of its RegionKeys. @throws Error for anything else. */
  constructor(readonly publicText: string) {
    const bytes = Buffer.from(publicText, 'base64url');
    if (bytes.length !== 2 * KEY_BYTES) throw new Error('A public key of a region is 64 bytes in base64url.');
    this.#verifying = publicKey('ed25519', bytes.subarray(0, KEY_BYTES));
    this.#sending = publicKey('x25519', bytes.subarray(KEY_BYTES));
  }

  verify(text: string, signature: string): boolean {
    return verify(null, Buffer.from(text), this.#verifying, Buffer.from(signature, 'base64url'));
  }

  /** `public key of the message | cipher text | tag` */
  seal(bytes: Uint8Array, context: string): Buffer {
    const pair = generateKeyPairSync('x25519');
    const shared = diffieHellman({ privateKey: pair.privateKey, publicKey: this.#sending });
    const ephemeral = raw(pair.privateKey);
    const cipher = createCipheriv('aes-256-gcm', messageKey(shared, ephemeral, raw(this.#sending)), NONCE);
    cipher.setAAD(Buffer.from(context));
    return Buffer.concat([ephemeral, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
}

function messageKey(shared: Buffer, ephemeral: Uint8Array, receiver: Uint8Array): Buffer {
  const salt = Buffer.concat([ephemeral, receiver]);
  return Buffer.from(hkdfSync('sha256', shared, salt, 'nexusrag tenant export 1', KEY_BYTES));
}

function privateKey(curve: Curve, secret: Buffer): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', secret, 'nexusrag region', curve, KEY_BYTES));
  return createPrivateKey({
    key: Buffer.concat([Buffer.from(PRIVATE[curve], 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
}

function publicKey(curve: Curve, bytes: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.concat([Buffer.from(PUBLIC[curve], 'hex'), bytes]),
    format: 'der',
    type: 'spki',
  });
}

/** The public key itself. */
function raw(key: KeyObject): Buffer {
  const of = key.type === 'private' ? createPublicKey(key) : key;
  return of.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES);
}
