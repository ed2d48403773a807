import { parseCondition } from './condition.js';

export interface ConditionLimits {
  /** Of the condition as compact JSON in UTF-8. */
  readonly maxBytes: number;
  /** The root is the first level, a comparison one more than its operator. */
  readonly maxDepth: number;
}

export type CheckedCondition =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: 'AUTHZ_POLICY_TOO_COMPLEX' | 'AUTHZ_POLICY_INVALID';
      /** Public. */
      readonly reason: string;
    };

/** What a condition must be to be stored. Survives any nesting. */
export function checkCondition(json: unknown, { maxBytes, maxDepth }: ConditionLimits): CheckedCondition {
  if (json === null) return { ok: true };
  const bytes = bytesOf(json);
  if (bytes > maxBytes) return tooComplex(`condition has ${bytes} bytes as compact JSON; ${maxBytes} are allowed`);
  const depth = depthOf(json);
  if (depth > maxDepth) return tooComplex(`condition has ${depth} levels; ${maxDepth} are allowed`);
  const parsed = parseCondition(json);
  return parsed.ok ? { ok: true } : { ok: false, code: 'AUTHZ_POLICY_INVALID', reason: parsed.reason };
}

function tooComplex(reason: string): CheckedCondition {
  return { ok: false, code: 'AUTHZ_POLICY_TOO_COMPLEX', reason };
}

/** As `JSON.stringify` would write it, which itself does not survive any nesting. */
function bytesOf(root: unknown): number {
  let bytes = 0;
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) {
      bytes += Buffer.byteLength(JSON.stringify(value));
      continue;
    }
    const children = Object.values(value);
    bytes += 2 + Math.max(0, children.length - 1);
    if (!Array.isArray(value)) {
      for (const key of Object.keys(value)) bytes += Buffer.byteLength(JSON.stringify(key)) + 1;
    }
    for (const child of children) open.push(child);
  }
  return bytes;
}

function depthOf(root: unknown): number {
  let deepest = 0;
  const open = [{ node: root, level: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, level } = next;
    const operators = typeof node === 'object' && node !== null ? Object.entries(node) : [];
    deepest = Math.max(deepest, operators.length === 0 ? level : level + 1);
    for (const [op, payload] of operators as [string, unknown][]) {
      if (op === 'not') open.push({ node: payload, level: level + 1 });
      if ((op === 'all' || op === 'any') && Array.isArray(payload)) {
        for (const child of payload) open.push({ node: child as unknown, level: level + 1 });
      }
    }
  }
  return deepest;
}
