/** What a receipt may hold: no number but whole ones, so that every language writes it the same way. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

export type JsonObject = Readonly<Record<string, Value>>;

/** Covers everything but itself. */
const SIGNATURE = 'receipt_signature';

/**
 * The bytes that are signed, as text: the object without its top-level `receipt_signature`, keys in order, no blanks,
 * nothing escaped that JSON does not demand. With the values that are allowed it is RFC 8785.
 *
 * @throws Error for a value that is not allowed.
 */
export function canonicalForm(body: object): string {
  const covered = Object.fromEntries(Object.entries(body).filter(([key]) => key !== SIGNATURE));
  return written(covered);
}

function written(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value === 'boolean' || Number.isSafeInteger(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`;
  if (typeof value !== 'object') throw new Error('A receipt holds strings, whole numbers, booleans and null only.');
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${written(member)}`).join(',')}}`;
}

/** The object that was written; undefined for a text that is none. */
export function readBody(canonical: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(canonical);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
