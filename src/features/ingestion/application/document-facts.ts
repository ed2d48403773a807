import type { DocumentFacts, DocumentRules } from '../../rbac-abac/index.js';
import type { Document, DocumentDetails } from '../domain/document.js';
import type { ExaminedDocument } from '../persistence/documents.repository.js';

/** What a sender puts in place of what was. */
export interface Change extends Pick<Document, 'corpusId' | 'contentType' | 'metadata'> {
  /** Undefined leaves them as they are. */
  readonly labels: DocumentDetails['labels'] | undefined;
}

/** What rules see of a document. */
export function factsOf(document: ExaminedDocument): DocumentFacts {
  const { id, tenantId, corpusId, status, contentType, metadata, labels, granted } = document;
  return { id, tenantId, corpusId, status, contentType, metadata: json(metadata), labels, granted };
}

/** What they would see of it after the change, or of a new one. */
export function factsAfter(
  { corpusId, contentType, metadata, labels }: Change,
  existing: ExaminedDocument | undefined,
  { tenantId }: DocumentRules,
): DocumentFacts {
  const changed = { contentType, metadata: json(metadata), labels: labels ?? existing?.labels ?? {} };
  if (existing !== undefined) return { ...factsOf(existing), ...changed };
  return { id: null, tenantId, corpusId, status: null, granted: false, ...changed };
}

/** Metadata was parsed from JSON. */
function json(metadata: Document['metadata']): DocumentFacts['metadata'] {
  return metadata as DocumentFacts['metadata'];
}
