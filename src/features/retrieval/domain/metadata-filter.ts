import { z } from 'zod';

/** What the database's JSON type can take; documents have nothing else. */
const storable = (text: string): boolean => !text.includes('\0') && !/\p{Surrogate}/u.test(text);
const text = z.string().refine(storable, 'must not contain NUL characters or lone surrogates');
const MOST_KEYS = 16;
const MOST_VALUES = 100;
const valueMessage = `must be a text, a number, true or false, or a list of 1 to ${MOST_VALUES} of them`;
const scalar = z.union([text, z.number(), z.boolean()], valueMessage);
const list = z.array(scalar).min(1, valueMessage).max(MOST_VALUES, valueMessage);

/** Keys of a document's metadata with the values that they may have. */
const metadataFilterSchema = z
  // The record leaves this key out, and a filter without its only key would let everything pass.
  .custom((value) => !isObject(value) || !Object.hasOwn(value, '__proto__'), 'must not have a key named __proto__')
  .pipe(
    z.record(
      text.min(1).max(128),
      z.union([scalar, list], valueMessage),
      'must be a JSON object with keys of 1 to 128 characters',
    ),
  )
  .refine((filter) => Object.keys(filter).length <= MOST_KEYS, `must have at most ${MOST_KEYS} keys`);

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `{"department": "legal", "year": [2024, 2025]}`: every key must match, any of its values will do. */
export type MetadataFilter = z.infer<typeof metadataFilterSchema>;

/** What a document's metadata must contain, as alternatives for each key: `[{"year": 2024}, {"year": 2025}]`. */
export function alternatives(filter: MetadataFilter): string[][] {
  return Object.entries(filter).map(([key, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => JSON.stringify({ [key]: value })),
  );
}

type FilterResult =
  { readonly ok: true; readonly filter: MetadataFilter } | { readonly ok: false; readonly reason: string };

/** Checks what a caller sent. `reason` is public. */
export function acceptMetadataFilter(value: unknown): FilterResult {
  const parsed = metadataFilterSchema.safeParse(value);
  if (parsed.success) return { ok: true, filter: parsed.data };
  const [issue] = parsed.error.issues;
  const key = issue?.code === 'invalid_key' ? [] : (issue?.path ?? []);
  return { ok: false, reason: [...key, issue?.message ?? 'is not valid'].join(' ') };
}

/** A filter from its JSON text. */
export function parseMetadataFilter(json: string): FilterResult {
  try {
    return acceptMetadataFilter(JSON.parse(json));
  } catch {
    return { ok: false, reason: 'must be a JSON object' };
  }
}
