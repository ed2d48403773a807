import type { Json } from '../domain/attributes.js';
import { isStorable, type Condition, type Leaf, type Operand } from '../domain/condition.js';
import { allOf, anyOf, not, settled } from '../domain/partial-evaluation.js';

const COLUMNS = ['id', 'tenant_id', 'corpus_id', 'status', 'content_type'] as const;

/** Where the database finds an operand. A label or a key of the metadata may be missing. */
export type Term =
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'column'; readonly name: (typeof COLUMNS)[number] }
  | { readonly kind: 'label'; readonly key: string }
  | { readonly kind: 'metadata'; readonly keys: readonly string[] };

/** Undefined for what the database has no single place for: all labels, or the whole resource. */
export function termOf(operand: Operand): Term | undefined {
  if ('literal' in operand) return { kind: 'literal', value: operand.literal };
  const [, name, ...keys] = operand.path;
  if (name === 'metadata') return { kind: 'metadata', keys };
  const [key, ...more] = keys;
  if (name === 'labels' && key !== undefined && more.length === 0) return { kind: 'label', key };
  const column = COLUMNS.find((candidate) => candidate === name);
  if (column !== undefined && key === undefined) return { kind: 'column', name: column };
  return name === undefined || (name === 'labels' && key === undefined) ? undefined : { kind: 'literal', value: null };
}

/** A statement stays small and quick to plan, whatever policies there are. */
const MOST_LEAVES = 200;

export interface Translatable {
  /** Of leaves only that the database can decide exactly as `evaluate` does. */
  readonly condition: Condition;
  /** False when the condition is true for more documents than it should be. It never is for fewer. */
  readonly exact: boolean;
}

/** A condition over a document, without what the database cannot decide. */
export function translatable(condition: Condition): Translatable {
  let leaves = 0;
  let exact = true;
  /** `open`: what counts in place of a leaf that has to go, so that the whole lets more through and never less. */
  const visit = (part: Condition, open: boolean): Condition => {
    if (typeof part === 'boolean') return part;
    switch (part.op) {
      case 'all':
        return allOf(part.of.map((child) => visit(child, open)));
      case 'any':
        return anyOf(part.of.map((child) => visit(child, open)));
      case 'not':
        return not(visit(part.of, !open));
      default: {
        const leaf = settled(withoutMissing(part));
        if (typeof leaf === 'boolean') return leaf;
        leaves += 1;
        if (leaves <= MOST_LEAVES && isTranslatable(leaf)) return leaf;
        exact = false;
        return open;
      }
    }
  };
  const result = visit(condition, true);
  return { condition: result, exact };
}

/** Null in place of what no document has. */
function withoutMissing(leaf: Leaf): Leaf {
  const known = <O extends Operand>(operand: O): O | { readonly literal: Json } => {
    const term = termOf(operand);
    return term?.kind === 'literal' ? { literal: term.value } : operand;
  };
  return 'right' in leaf
    ? { ...leaf, left: known(leaf.left), right: known(leaf.right) }
    : { ...leaf, left: known(leaf.left) };
}

function isTranslatable(leaf: Leaf): boolean {
  if (!('right' in leaf)) return false;
  const [left, right] = [termOf(leaf.left), termOf(leaf.right)];
  if (left === undefined || right === undefined) return false;
  if (![left, right].every((term) => term.kind !== 'literal' || isBindable(term.value))) return false;
  // Only texts look in the database as they do in JSON.
  const looksForText = leaf.op === 'starts_with' || (leaf.op === 'contains' && mayBeText(left));
  return !looksForText || right.kind !== 'metadata';
}

/** What the principal brings along need not be what the database can hold. */
function isBindable(value: Json): boolean {
  if (typeof value === 'string') return isStorable(value);
  return typeof value !== 'object' || value === null || Object.entries(value).flat().every(isBindable);
}

export function mayBeText(term: Term): boolean {
  return term.kind !== 'literal' || typeof term.value === 'string';
}
