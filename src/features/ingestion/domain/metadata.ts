/** Of the serialised metadata, in UTF-8. */
const MAX_BYTES = 32 * 1024;
/** What the database's JSON type and every recursive reader can take. */
const MAX_DEPTH = 64;
/** Part of a unique index. */
const MAX_LABEL_KEY_LENGTH = 128;

type Labels = Readonly<Record<string, string>>;
interface Refused {
  readonly ok: false;
  /** Public; never repeats a value. */
  readonly reason: string;
}

export type MetadataResult =
  | {
      readonly ok: true;
      readonly metadata: Readonly<Record<string, unknown>>;
      /** Undefined when the metadata says nothing about labels, which differs from saying that there are none. */
      readonly labels: Labels | undefined;
    }
  | Refused;
export type LabelsResult = { readonly ok: true; readonly labels: Labels } | Refused;

/** Checks what a sender says about a document. */
export function acceptMetadata(given: unknown): MetadataResult {
  const metadata = given ?? {};
  if (!isObject(metadata)) return refuse('metadata_json must be an object');
  const fault = storageFault(metadata);
  if (fault !== undefined) return refuse(`metadata_json ${fault}`);
  if (!Object.hasOwn(metadata, 'labels')) return { ok: true, metadata, labels: undefined };
  const result = labelsOf(metadata['labels'], 'metadata_json.labels');
  return result.ok ? { ...result, metadata } : result;
}

/** Checks labels that come by themselves. */
export function acceptLabels(given: unknown): LabelsResult {
  const fault = isObject(given) ? storageFault(given) : undefined;
  return fault === undefined ? labelsOf(given, 'labels') : refuse(`labels ${fault}`);
}

function labelsOf(labels: unknown, name: string): LabelsResult {
  if (!isObject(labels)) return refuse(`${name} must be an object`);
  const entries = Object.entries(labels);
  if (entries.some(([key]) => key === '' || key.length > MAX_LABEL_KEY_LENGTH)) {
    return refuse(`${name} must have keys of 1 to ${MAX_LABEL_KEY_LENGTH} characters`);
  }
  if (!entries.every(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))) {
    return refuse(`${name} must have strings, numbers or booleans as values`);
  }
  return { ok: true, labels: Object.fromEntries(entries.map(([key, value]) => [key, String(value)])) };
}

/** As `acceptMetadata`, from the text of a form field. */
export function parseMetadata(json: string | undefined): MetadataResult {
  if (json === undefined) return acceptMetadata(undefined);
  try {
    return acceptMetadata(JSON.parse(json) as unknown);
  } catch {
    return refuse('metadata_json must be valid JSON');
  }
}

function storageFault(given: unknown): string | undefined {
  const fault = shapeFault(given);
  if (fault !== undefined) return fault;
  return Buffer.byteLength(JSON.stringify(given)) > MAX_BYTES ? 'must not be larger than 32 KB' : undefined;
}

/** Walks without recursion, so that the walk itself survives any nesting. */
function shapeFault(root: unknown): string | undefined {
  const open = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string' && (value.includes('\0') || /\p{Surrogate}/u.test(value))) {
      return 'must not contain NUL characters or lone surrogates';
    }
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAX_DEPTH) return `must not be nested deeper than ${MAX_DEPTH} levels`;
    for (const [key, child] of Object.entries(value)) {
      if (key in Object.prototype) return 'must not have keys with reserved names such as __proto__';
      open.push({ value: key, depth }, { value: child as unknown, depth: depth + 1 });
    }
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(reason: string): Refused {
  return { ok: false, reason };
}
