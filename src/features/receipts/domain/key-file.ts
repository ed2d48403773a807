import { HMAC_KEYS, readKeys } from './key-settings.js';
import { publicEd25519Key, SigningKeys } from './signing-keys.js';

/** Keys of a file: HMAC keys as the setting has them, or public ones as `/.well-known/receipt-keys.json` does. */
export function readKeyFile(text: string): SigningKeys | string {
  const set = keySetOf(text);
  if (set === undefined) {
    const keys = readKeys(text, HMAC_KEYS);
    return typeof keys === 'string' ? keys : new SigningKeys(keys);
  }
  try {
    return new SigningKeys(set.map((key) => publicEd25519Key(key as { kid: string; x: string })));
  } catch {
    return 'must have Ed25519 keys only';
  }
}

function keySetOf(text: string): unknown[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
}
