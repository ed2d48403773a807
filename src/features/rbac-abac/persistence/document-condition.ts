import type { SqlParameters } from '../../../platform/db/index.js';
import type { Condition } from '../domain/condition.js';
import type { DocumentRules } from '../domain/document-rules.js';
import { GIVEN_BY } from '../domain/grants.js';
import type { DocumentAction } from '../domain/scope.js';
import { ConditionSql } from './condition-sql.js';
import { translatable } from './document-terms.js';

/**
 * Condition that a grant gives the action. `document` is the alias of a row of `documents`. Asked row by row, by an
 * index: OFFSET keeps the planner from a join, which without good statistics compares every row with every grant.
 */
export function granted(
  rules: DocumentRules,
  action: DocumentAction,
  document: string,
  parameters: SqlParameters,
): string {
  if (rules.switches.bypassesGrants) return 'true';
  const types = parameters.add(rules.holders.map(({ type }) => type));
  const ids = parameters.add(rules.holders.map(({ id }) => id));
  return `EXISTS (
    SELECT FROM document_permissions p
     WHERE p.tenant_id = ${document}.tenant_id AND p.document_id = ${document}.id
       AND p.permission = ANY (${parameters.add(GIVEN_BY[action])})
       AND (p.expires_at IS NULL OR p.expires_at > ${parameters.add(rules.now)})
       AND (p.principal_type, p.principal_id) IN (SELECT * FROM unnest(${types}::text[], ${ids}::text[]))
    OFFSET 0)`;
}

export interface DocumentCondition {
  readonly sql: string;
  /** False when rows pass that `DocumentRules.decide` refuses: each must be asked about. None is kept out wrongly. */
  readonly exact: boolean;
}

/** Condition that the action is allowed, or, unless `exact`, may be. `document` is the alias of a row of `documents`. */
export function allowed(
  rules: DocumentRules,
  action: DocumentAction,
  document: string,
  parameters: SqlParameters,
): DocumentCondition {
  const { condition, exact } = translatable(policiesOf(rules, action));
  if (condition === false) return { sql: 'false', exact: true };
  const grant = granted(rules, action, document, parameters);
  if (condition === true) return { sql: grant, exact };
  return { sql: `(${grant} AND ${new ConditionSql(document, parameters).of(condition)})`, exact };
}

function policiesOf({ policies, asking, switches }: DocumentRules, action: DocumentAction): Condition {
  if (!switches.abacEnabled) return true;
  return policies.residue({ resourceType: 'document', action }, asking, switches.defaultDeny);
}
