import { alternatives, type MetadataFilter } from '../domain/metadata-filter.js';

/** Collects the parameters of one statement. */
export class Parameters {
  readonly values: unknown[] = [];

  /** Its place in the statement, such as `$3`. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** Condition that a passage's document passes the filter. `passage` is the alias of a table with `document_id`. */
export function eligible(passage: string, filter: MetadataFilter | undefined, parameters: Parameters): string {
  if (filter === undefined || Object.keys(filter).length === 0) return 'true';
  const conditions = alternatives(filter).map(
    (values) => `d.metadata_json @> ANY (${parameters.add(values)}::jsonb[])`,
  );
  return `EXISTS (SELECT FROM documents d WHERE d.tenant_id = ${passage}.tenant_id AND d.id = ${passage}.document_id
                     AND ${conditions.join(' AND ')})`;
}
