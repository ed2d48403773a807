import { existsSync } from 'node:fs';
import { sha256Hex } from '../../../kernel/hash.js';
import { localSecret } from '../../../platform/crypto/index.js';
import { DataFolder, type DbSettings } from '../../../platform/db/index.js';
import { hmacKey, SigningKeys, type SigningKey } from '../domain/signing-keys.js';
import { keysOf, type ReceiptsSettings } from '../receipts.settings.js';

/**
 * The keys that the settings give; where they give none and let it be, the one of the data folder.
 *
 * @param make whether that one is made when it is not there.
 */
export function signingKeys(settings: ReceiptsSettings, { dataDir }: DbSettings, make: boolean): SigningKeys {
  const { hmac, ed25519 } = keysOf(settings);
  const given = [...hmac, ...ed25519];
  const { receiptKeyPath } = new DataFolder(dataDir);
  const local = given.length === 0 && settings.localKey && (make || existsSync(receiptKeyPath));
  return new SigningKeys(local ? [localKey(receiptKeyPath)] : given);
}

/** Its id follows from it, so that no two folders share one. */
function localKey(file: string): SigningKey {
  const secret = Buffer.from(localSecret(file), 'base64');
  return hmacKey(`local-${sha256Hex(secret).slice(0, 12)}`, secret);
}
