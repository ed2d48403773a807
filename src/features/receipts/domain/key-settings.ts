import { ed25519Key, hmacKey, type Ed25519Key, type SigningKey } from './signing-keys.js';

const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;
/** As one writes it: `+` and `/`, padded, no blanks. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const KEY_BYTES = 32;

/** What keys of an algorithm look like in a setting, and what is made of one. */
interface Kind<K> {
  readonly fits: (bytes: number) => boolean;
  readonly size: string;
  readonly make: (id: string, bytes: Buffer) => K;
}

export const HMAC_KEYS: Kind<SigningKey> = {
  fits: (bytes) => bytes >= KEY_BYTES,
  size: `at least ${KEY_BYTES}`,
  make: hmacKey,
};

export const ED25519_KEYS: Kind<Ed25519Key> = {
  fits: (bytes) => bytes === KEY_BYTES,
  size: `exactly ${KEY_BYTES}`,
  make: ed25519Key,
};

/** The keys in a JSON object of key ids to base64, or what is wrong with it, without a byte of a key. */
export function readKeys<K>(json: string, { fits, size, make }: Kind<K>): readonly K[] | string {
  const entries = entriesOf(json);
  if (entries === undefined) return 'must be a JSON object of key ids to base64';
  const keys: K[] = [];
  for (const [id, value] of entries) {
    if (!KEY_ID.test(id)) return 'must have key ids of 1 to 64 letters, digits, dots, underscores and hyphens';
    if (typeof value !== 'string' || !BASE64.test(value)) return `must have base64 for ${id}`;
    const bytes = Buffer.from(value, 'base64');
    if (!fits(bytes.length)) return `must have ${size} bytes for ${id}`;
    keys.push(make(id, bytes));
  }
  return keys;
}

function entriesOf(json: string): [string, unknown][] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  } catch {
    return undefined;
  }
}
