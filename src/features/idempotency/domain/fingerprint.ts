import { canonicalJson } from '../../../kernel/canonical-json.js';
import { sha256Hex } from '../../../kernel/hash.js';

/** Everything that makes a request what it is, beside who sends it. */
export interface Payload {
  readonly method: string;
  readonly path: string;
  readonly query: unknown;
  readonly ifMatch: string | null;
  /** After validation: with defaults, and without regard to how it was written. */
  readonly body: unknown;
  readonly file: { readonly name: string; readonly contentType: string; readonly sha256: string } | null;
}

/** Goes up when what is hashed changes: hashes of different versions never agree. */
const VERSION = 1;

export function fingerprint(payload: Payload): string {
  return `v${VERSION}:${sha256Hex(canonicalJson(payload))}`;
}
