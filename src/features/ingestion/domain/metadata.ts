/** Of the serialised metadata, in UTF-8. */
const MAX_BYTES = 32 * 1024;
/** What the database's JSON type and every recursive reader can take. */
const MAX_DEPTH = 64;
/** Part of a unique index. */
const MAX_LABEL_KEY_LENGTH = 128;

export type MetadataResult =
  | {
      readonly ok: true;
      readonly metadata: Readonly<Record<string, unknown>>;
      /** Undefined when the metadata says nothing about labels, which differs from saying that there are none. */
      readonly labels: Readonly<Record<string, string>> | undefined;
    }
  | { readonly ok: false; readonly reason: string };

/** Checks what a sender says about a document. `reason` is public and never repeats a value. */
export function acceptMetadata(given: unknown): MetadataResult {
  const metadata = given ?? {};
  if (!isObject(metadata)) return refuse('metadata_json must be an object');
  const fault = storageFault(metadata);
  if (fault !== undefined) return refuse(`metadata_json ${fault}`);
  if (Buffer.byteLength(JSON.stringify(metadata)) > MAX_BYTES) {
    return refuse('metadata_json must not be larger than 32 KB');
  }
  if (!Object.hasOwn(metadata, 'labels')) return { ok: true, metadata, labels: undefined };
  const { labels } = metadata;
  if (!isObject(labels)) return refuse('metadata_json.labels must be an object');
  const entries = Object.entries(labels);
  if (entries.some(([key]) => key === '' || key.length > MAX_LABEL_KEY_LENGTH)) {
    return refuse(`metadata_json.labels must have keys of 1 to ${MAX_LABEL_KEY_LENGTH} characters`);
  }
  if (!entries.every(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))) {
    return refuse('metadata_json.labels must have strings, numbers or booleans as values');
  }
  return { ok: true, metadata, labels: Object.fromEntries(entries.map(([key, value]) => [key, String(value)])) };
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

/** Walks without recursion, so that the walk itself survives any nesting. */
function storageFault(root: unknown): string | undefined {
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

function refuse(reason: string): MetadataResult {
  return { ok: false, reason };
}
