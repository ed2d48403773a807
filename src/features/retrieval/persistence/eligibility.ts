import { SqlParameters } from '../../../platform/db/index.js';
import { allowed, type DocumentRules } from '../../rbac-abac/index.js';
import type { Hit } from '../domain/fusion.js';
import { alternatives, type MetadataFilter } from '../domain/metadata-filter.js';

/** Who reads: a principal, by the rules that hold for it, or the system, which may read every document. */
export type Reader = DocumentRules | 'system';

/** Which documents of a corpus one search may find. */
export interface Eligibility {
  readonly reader: Reader;
  readonly filter: MetadataFilter | undefined;
  /** All of them, where they are few: each passed the filter and the rules when the search began. */
  readonly documents: readonly string[] | undefined;
  /** Passages that they have, or, where they are not known, the corpus has. */
  readonly passages: number;
  /** False when the database's condition lets documents through that the rules refuse: they are asked about each. */
  readonly exact: boolean;
  /** Documents that the database's condition let through and the rules refused. Grows during a search. */
  readonly refused: Set<string>;
}

/** A hit that the database's condition let through. */
export interface Candidate extends Hit {
  readonly documentId: string;
}

/** Whether the database's condition says all that the rules say. */
export function isExact(reader: Reader): boolean {
  return reader === 'system' || allowed(reader, 'read', 'd', new SqlParameters()).exact;
}

/**
 * Condition that a passage may be found. `passage` is the alias of a table with `tenant_id` and `document_id`. Asked
 * passage by passage, so that a query that needs the best few need not gather the many that somebody may read.
 */
export function eligible(passage: string, eligibility: Eligibility, parameters: SqlParameters): string {
  const { documents, refused } = eligibility;
  if (documents !== undefined) return `${passage}.document_id = ANY (${parameters.add(documents)})`;
  const conditions = documentConditions(eligibility, parameters);
  if (conditions.length === 0) return 'true';
  const others = refused.size === 0 ? 'true' : `${passage}.document_id <> ALL (${parameters.add([...refused])})`;
  // OFFSET keeps the planner from making a join of it.
  return `${others} AND EXISTS (
    SELECT FROM documents d WHERE d.tenant_id = ${passage}.tenant_id AND d.id = ${passage}.document_id
       AND ${conditions.join(' AND ')} OFFSET 0)`;
}

/** Selects the `id` of the documents of a corpus that may be found; undefined when all may. */
export function eligibleDocuments(
  tenantId: string,
  corpusId: string,
  eligibility: Eligibility,
  parameters: SqlParameters,
): string | undefined {
  const { documents, refused } = eligibility;
  if (documents !== undefined) return `SELECT unnest(${parameters.add(documents)}::text[]) AS id`;
  const conditions = documentConditions(eligibility, parameters);
  if (conditions.length === 0) return undefined;
  if (refused.size > 0) conditions.push(`d.id <> ALL (${parameters.add([...refused])})`);
  return `SELECT d.id FROM documents d WHERE d.tenant_id = ${parameters.add(tenantId)}
     AND d.corpus_id = ${parameters.add(corpusId)} AND ${conditions.join(' AND ')}`;
}

/** What a row of `documents` with the alias `d` must meet. */
export function documentConditions(
  { reader, filter }: Pick<Eligibility, 'reader' | 'filter'>,
  parameters: SqlParameters,
): string[] {
  const conditions = alternatives(filter ?? {}).map(
    (values) => `d.metadata_json @> ANY (${parameters.add(values)}::jsonb[])`,
  );
  return reader === 'system' ? conditions : [...conditions, `(${allowed(reader, 'read', 'd', parameters).sql})`];
}
