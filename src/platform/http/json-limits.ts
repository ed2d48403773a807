export interface JsonFault {
  readonly msg: string;
  readonly type: string;
}

/** Deep enough for any honest document, shallow enough for every recursive library below. */
const MAX_DEPTH = 64;

/** Walks without recursion, so that the walk itself survives any nesting. */
function* walk(root: unknown): Generator<{ readonly value: unknown; readonly depth: number }> {
  const open = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next;
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) continue;
    for (const [key, child] of Object.entries(value)) {
      open.push({ value: key, depth }, { value: child as unknown, depth: depth + 1 });
    }
  }
}

/** To be asked before any recursive library sees the value. */
export function depthFault(root: unknown): JsonFault | undefined {
  for (const { depth } of walk(root)) {
    if (depth > MAX_DEPTH) return { msg: `is nested deeper than ${MAX_DEPTH} levels`, type: 'too_deep' };
  }
  return undefined;
}

/** Postgres stores no NUL; text that has one is refused instead of failing halfway. */
export function nulFault(root: unknown): JsonFault | undefined {
  for (const { value } of walk(root)) {
    if (typeof value === 'string' && value.includes('\0')) {
      return { msg: 'contains a NUL character', type: 'nul_character' };
    }
  }
  return undefined;
}
