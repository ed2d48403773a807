import { z } from 'zod';
import { canonicalText } from '../../../kernel/canonical-json.js';
import { sha256Hex } from '../../../kernel/hash.js';
import { ROLES } from '../../../kernel/principal.js';

/** Keep a bundle far below what a receipt, which contains it, may have. */
const MOST_RULES = 200;
const MOST_VALUES = 100;
/** Characters of the id of a rule, which a receipt repeats for each candidate. */
const MAX_ID_LENGTH = 64;
/** Characters of a value that a label or a caller is compared with. */
export const MAX_VALUE_LENGTH = 256;
const MAX_DESCRIPTION_LENGTH = 2000;
const MAX_FAULT_LENGTH = 300;
const MOST_WARNINGS = 20;
/** Who asks is of the type that the role says; whatever asks without a principal is the system. */
const CALLER_TYPES: readonly string[] = [...ROLES, 'system'];

const NAMES = {
  chunk_has_any_label: 'chunk_has_any_label',
  chunk_has_all_labels: 'chunk_has_all_labels',
  memory_has_any_label: 'chunk_has_any_label',
  memory_has_all_labels: 'chunk_has_all_labels',
} as const;

const value = z
  .string('must be a text')
  .max(MAX_VALUE_LENGTH, `must be at most ${MAX_VALUE_LENGTH} characters`)
  .refine((text) => text.trim() !== '', 'must not be blank')
  .refine((text) => !/[\p{Cc}\p{Surrogate}]/u.test(text), 'must not contain control characters');
const values = z
  .array(value, 'must be a list of texts')
  .min(1, 'must not be an empty list')
  .max(MOST_VALUES, `must not have more than ${MOST_VALUES} values`);

const when = z.strictObject(
  {
    chunk_has_any_label: values.exactOptional(),
    chunk_has_all_labels: values.exactOptional(),
    caller_type: value.exactOptional(),
    caller_type_in: values.exactOptional(),
    caller_type_not_in: values.exactOptional(),
    caller_id: value.exactOptional(),
  },
  'must be a map of predicates',
);

const rule = z.strictObject(
  {
    id: value.max(MAX_ID_LENGTH, `must be at most ${MAX_ID_LENGTH} characters`),
    description: z
      .string('must be a text')
      .max(MAX_DESCRIPTION_LENGTH, `must be at most ${MAX_DESCRIPTION_LENGTH} characters`)
      .default(''),
    when: z.preprocess(withoutAliases, when).refine((given) => Object.keys(given).length > 0, 'needs a predicate'),
    action: z.enum(['deny', 'redact'], 'must be deny or redact'),
  },
  'must be a map with id, when and action',
);

const schema = z.strictObject(
  {
    version: z.literal(1, 'must be 1'),
    metadata: z.record(z.string(), z.json('must be plain data'), 'must be a map').default({}),
    rules: z.array(rule, 'must be a list').max(MOST_RULES, `must not have more than ${MOST_RULES} rules`),
  },
  'A bundle must be a map with version, metadata and rules',
);

export type Rule = z.infer<typeof rule>;

/** Rules in the order in which they are asked; without any it allows everything. */
export interface Bundle {
  readonly version: 1;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly rules: readonly Rule[];
  /** The same for the same rules, however they are written. */
  readonly hash: string;
  /** As it was written. */
  readonly yaml: string;
}

/** `reason` is public and names the rule. */
export type BundleResult =
  { readonly ok: true; readonly bundle: Bundle } | { readonly ok: false; readonly reason: string };

/** @param given what was read from `yaml`. */
export function bundleOf(given: unknown, yaml: string): BundleResult {
  const parsed = schema.safeParse(given);
  if (!parsed.success) return refusedBundle(describeFault(parsed.error, given));
  const { version, metadata, rules } = parsed.data;
  const ids = new Set<string>();
  for (const { id } of rules) {
    if (ids.has(id)) return refusedBundle(`Rule "${id}": another rule has the same id`);
    ids.add(id);
  }
  const hash = sha256Hex(canonicalText({ version, metadata, rules }));
  return { ok: true, bundle: { version, metadata, rules, hash, yaml } };
}

/** @param reason a sentence without its stop; what is too long of it goes. */
export function refusedBundle(reason: string): BundleResult {
  return { ok: false, reason: `${reason.slice(0, MAX_FAULT_LENGTH)}.` };
}

/** What is wrong, in a sentence each, with the types of callers that rules name: nobody may ever be of them. */
export function unknownCallerTypes({ rules }: Bundle): string[] {
  const named = rules.flatMap(
    ({ id, when: { caller_type: type, caller_type_in: some = [], caller_type_not_in: not = [] } }) =>
      [...(type === undefined ? [] : [type]), ...some, ...not].map((unknown) => ({ id, unknown })),
  );
  return named
    .filter(({ unknown }) => !CALLER_TYPES.includes(unknown))
    .slice(0, MOST_WARNINGS)
    .map(
      ({ id, unknown }) => `Rule "${id}": no caller is of the type "${unknown}". Types are ${CALLER_TYPES.join(', ')}.`,
    );
}

/** Aliases become what they stand for, so that they make no other bundle. Both at once are refused with the rest. */
function withoutAliases(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const entries = Object.entries(given).map(([key, part]): [string, unknown] => {
    const name = Object.hasOwn(NAMES, key) ? NAMES[key as keyof typeof NAMES] : key;
    return [name !== key && Object.hasOwn(given, name) ? key : name, part];
  });
  return Object.fromEntries(entries);
}

function describeFault({ issues: [issue] }: z.ZodError, given: unknown): string {
  if (issue === undefined) return 'The bundle is not valid';
  const [top, index, ...inside] = issue.path;
  const inRule = top === 'rules' && typeof index === 'number';
  const path = (inRule ? inside : issue.path).map(String).join('.');
  const what = issue.code === 'unrecognized_keys' ? `does not know ${issue.keys.join(', ')}` : issue.message;
  return [inRule ? `${nameOfRule(given, index)}:` : '', path, what].filter((part) => part !== '').join(' ');
}

/** By its id, or where it has none by its place, from 1. */
function nameOfRule(given: unknown, index: number): string {
  const { rules } = given as { readonly rules: readonly unknown[] };
  const id = (rules[index] as { readonly id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' && id.trim() !== '' ? `Rule "${id.slice(0, 64)}"` : `Rule ${index + 1}`;
}
