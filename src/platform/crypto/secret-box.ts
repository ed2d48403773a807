import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { canonicalJson } from '../../kernel/canonical-json.js';

/** What a sealed text belongs to. Sealed for one place, it cannot be opened in another. */
export interface Place {
  /** Kind of content, such as `idempotency`. */
  readonly purpose: string;
  readonly tenantId: string;
  /** Identity of the row that holds it. */
  readonly record: string;
}

/** Derived keys that a process remembers. */
const REMEMBERED_KEYS = 1000;
const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const TAG_AT = NONCE_AT + NONCE_BYTES;
const TEXT_AT = TAG_AT + TAG_BYTES;

/** Sealed with another key, for another place, or changed since. */
export class CannotOpen extends Error {
  constructor(reason: string, cause?: unknown) {
    super(`The sealed text cannot be opened: ${reason}.`, { cause });
    this.name = 'CannotOpen';
  }
}

/**
 * Encrypts texts that are stored and must be read again: AES-256-GCM with a key per purpose and tenant, derived from
 * the master key. A sealed text is `version | key id | nonce | tag | cipher text`; the key id tells which master key.
 */
export class SecretBox {
  #master: { readonly key: string; readonly id: Buffer } | undefined;
  readonly #contentKeys = new LRUCache<string, Buffer>({ max: REMEMBERED_KEYS });

  /** @param masterKey asked for once, when something is first sealed or opened. */
  constructor(private readonly masterKey: () => string) {}

  seal(place: Place, text: string): Buffer {
    const { id } = this.#keys();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#contentKey(place), nonce).setAAD(aad(place));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), id, nonce, cipher.getAuthTag(), sealed]);
  }

  /** @throws CannotOpen */
  open(place: Place, sealed: Buffer): string {
    const { id } = this.#keys();
    if (sealed[0] !== VERSION || sealed.length < TEXT_AT) throw new CannotOpen('it has an unknown form');
    if (!sealed.subarray(1, NONCE_AT).equals(id)) throw new CannotOpen('it was sealed with another master key');
    const decipher = createDecipheriv('aes-256-gcm', this.#contentKey(place), sealed.subarray(NONCE_AT, TAG_AT))
      .setAAD(aad(place))
      .setAuthTag(sealed.subarray(TAG_AT, TEXT_AT));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(TEXT_AT)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new CannotOpen('it belongs elsewhere or was changed', cause);
    }
  }

  #keys(): { readonly key: string; readonly id: Buffer } {
    if (this.#master === undefined) {
      const key = this.masterKey();
      this.#master = { key, id: derived(key, 'key id', KEY_ID_BYTES) };
    }
    return this.#master;
  }

  #contentKey({ purpose, tenantId }: Place): Buffer {
    const content = canonicalJson(['content', purpose, tenantId]);
    const known = this.#contentKeys.get(content);
    if (known !== undefined) return known;
    const key = derived(this.#keys().key, content, 32);
    this.#contentKeys.set(content, key);
    return key;
  }
}

function derived(master: string, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', master, 'nexusrag', info, bytes));
}

function aad(place: Place): Buffer {
  return Buffer.from(canonicalJson(place));
}
