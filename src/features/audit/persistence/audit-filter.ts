/** Which events; all given parts must fit. */
export interface AuditFilter {
  /** Exact, or a prefix that ends in `.*`. */
  readonly event_type?: string | undefined;
  readonly outcome?: 'success' | 'failure' | undefined;
  readonly resource_type?: string | undefined;
  readonly resource_id?: string | undefined;
  readonly actor_id?: string | undefined;
  readonly request_id?: string | undefined;
  readonly error_code?: string | undefined;
  /** Instants in ISO 8601 with an offset, ends included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const EXACT = ['outcome', 'resource_type', 'resource_id', 'actor_id', 'request_id', 'error_code'] as const;

/**
 * The filter as conditions that each begin with AND.
 *
 * @param first values of the parameters that come before.
 */
export function conditionsOf(filter: AuditFilter, first: readonly unknown[]): { sql: string; values: unknown[] } {
  const values = [...first];
  const conditions: string[] = [];
  const add = (value: string | undefined, condition: (parameter: string) => string): void => {
    if (value !== undefined) conditions.push(`AND ${condition(`$${values.push(value)}`)}`);
  };
  const { event_type: type } = filter;
  if (type?.endsWith('.*')) add(type.slice(0, -1), (parameter) => `starts_with(event_type, ${parameter})`);
  else add(type, (parameter) => `event_type = ${parameter}`);
  for (const column of EXACT) add(filter[column], (parameter) => `${column} = ${parameter}`);
  add(filter.from, (parameter) => `occurred_at >= ${parameter}::timestamptz`);
  add(filter.to, (parameter) => `occurred_at <= ${parameter}::timestamptz`);
  return { sql: conditions.join(' '), values };
}
