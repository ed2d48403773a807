import type { SqlParameters } from '../../../platform/db/index.js';
import type { DocumentRules } from '../domain/document-rules.js';
import { GIVEN_BY } from '../domain/grants.js';
import type { DocumentAction } from '../domain/scope.js';

/**
 * Selects the `document_id` of at most `limit` grants that give the action, from those of the principal: for one that
 * holds few grants, the fast way to its documents. A document occurs as often as it has such grants. Policies and the
 * right of admins to do without grants are not looked at.
 */
export function grantedDocuments(
  rules: DocumentRules,
  action: DocumentAction,
  limit: number,
  parameters: SqlParameters,
): string {
  const types = parameters.add(rules.holders.map(({ type }) => type));
  const ids = parameters.add(rules.holders.map(({ id }) => id));
  return `
    SELECT p.document_id FROM document_permissions p
     WHERE p.tenant_id = ${parameters.add(rules.tenantId)}
       AND (p.principal_type, p.principal_id) IN (SELECT * FROM unnest(${types}::text[], ${ids}::text[]))
       AND p.permission = ANY (${parameters.add(GIVEN_BY[action])})
       AND (p.expires_at IS NULL OR p.expires_at > ${parameters.add(rules.now)})
     LIMIT ${parameters.add(limit)}`;
}
