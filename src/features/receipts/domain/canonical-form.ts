import { canonicalText } from '../../../kernel/canonical-json.js';

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
  return canonicalText(covered, Number.isSafeInteger);
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
