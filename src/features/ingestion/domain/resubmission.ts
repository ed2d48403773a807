import type { Document } from './document.js';
import { isInFlight } from './document-status.js';

/**
 * What sending a document means for the one that has its id:
 *
 * - `create`: there is none
 * - `replace`: its content gives way, and it is ingested again
 * - `keep`: nothing changes; the sender learns how far it is
 * - `elsewhere`: it belongs to another corpus
 * - `differs`: it has other content, which only overwrite replaces
 */
export type Verdict = 'create' | 'replace' | 'keep' | 'elsewhere' | 'differs';

export function judge(
  existing: Pick<Document, 'corpusId' | 'status' | 'contentSha256'> | undefined,
  sent: { readonly corpusId: string; readonly contentSha256: string; readonly overwrite: boolean },
): Verdict {
  if (existing === undefined) return 'create';
  if (existing.corpusId !== sent.corpusId) return 'elsewhere';
  if (isInFlight(existing.status)) return 'keep';
  if (sent.overwrite) return 'replace';
  return existing.contentSha256 === sent.contentSha256 ? 'keep' : 'differs';
}
