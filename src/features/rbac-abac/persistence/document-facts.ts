import type { SqlParameters } from '../../../platform/db/index.js';
import type { DocumentRules } from '../domain/document-rules.js';
import type { DocumentAction } from '../domain/scope.js';
import { granted } from './document-condition.js';

/** Columns that make `DocumentFacts` of a row of `documents`, of which `document` is the alias. */
export function documentFacts(
  rules: DocumentRules,
  action: DocumentAction,
  document: string,
  parameters: SqlParameters,
): string {
  const d = document;
  return `${d}.id, ${d}.tenant_id AS "tenantId", ${d}.corpus_id AS "corpusId", ${d}.status,
    ${d}.content_type AS "contentType", ${d}.metadata_json AS metadata,
    ${granted(rules, action, d, parameters)} AS granted,
    COALESCE((SELECT jsonb_object_agg(l.key, l.value) FROM document_labels l
               WHERE l.tenant_id = ${d}.tenant_id AND l.document_id = ${d}.id), '{}') AS labels`;
}
