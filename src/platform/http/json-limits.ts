export interface JsonFault {
  readonly msg: string;
  readonly type: string;
}

/** Deep enough for any honest document, shallow enough for every recursive library below. */
const MAX_DEPTH = 64;

interface Node {
  readonly value: unknown;
  readonly depth: number;
  readonly isKey: boolean;
}

/** Walks without recursion, so that the walk itself survives any nesting. */
function* walk(root: unknown): Generator<Node> {
  const open: Node[] = [{ value: root, depth: 0, isKey: false }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next;
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) continue;
    const named = !Array.isArray(value);
    for (const [key, child] of Object.entries(value)) {
      if (named) open.push({ value: key, depth, isKey: true });
      open.push({ value: child as unknown, depth: depth + 1, isKey: false });
    }
  }
}

/**
 * To be asked before any library sees the value. Recursive ones do not survive depth, and names that every object
 * inherits, such as `__proto__` or `constructor`, are dropped in silence by some and worse by others.
 */
export function structureFault(root: unknown): JsonFault | undefined {
  for (const { value, depth, isKey } of walk(root)) {
    if (depth > MAX_DEPTH) return { msg: `is nested deeper than ${MAX_DEPTH} levels`, type: 'too_deep' };
    if (isKey && (value as string) in Object.prototype)
      return { msg: 'has a key with a reserved name', type: 'reserved_key' };
  }
  return undefined;
}

/** Postgres stores neither NUL nor half a surrogate pair; text that has one is refused instead of failing halfway. */
export function textFault(root: unknown): JsonFault | undefined {
  for (const { value } of walk(root)) {
    if (typeof value !== 'string') continue;
    if (value.includes('\0')) return { msg: 'contains a NUL character', type: 'nul_character' };
    if (LONE_SURROGATE.test(value)) return { msg: 'contains half a surrogate pair', type: 'lone_surrogate' };
  }
  return undefined;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
