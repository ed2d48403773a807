import type { Asking, Attributes } from './attributes.js';
import type { Condition, Leaf, Operand } from './condition.js';
import { evaluate, valueOf } from './evaluate.js';

/** What is left to be asked of the resource once it is known who asks. */
export function reduce(condition: Condition, asking: Asking): Condition {
  if (typeof condition === 'boolean') return condition;
  switch (condition.op) {
    case 'all':
      return allOf(condition.of.map((child) => reduce(child, asking)));
    case 'any':
      return anyOf(condition.of.map((child) => reduce(child, asking)));
    case 'not':
      return not(reduce(condition.of, asking));
    default:
      return reduceLeaf(condition, { ...asking, resource: {} });
  }
}

function reduceLeaf(leaf: Leaf, known: Attributes): Condition {
  const reduced = { ...leaf, left: reduceOperand(leaf.left, known) };
  return settled('right' in reduced ? { ...reduced, right: reduceOperand(reduced.right, known) } : reduced);
}

function reduceOperand(operand: Operand, known: Attributes): Operand {
  if ('literal' in operand || operand.path[0] === 'resource') return operand;
  return { literal: valueOf(operand, known) };
}

const NOTHING: Attributes = { principal: {}, resource: {}, request: {} };

/** True or false, where the operands are literals. */
export function settled(leaf: Leaf): Leaf | boolean {
  const open = 'path' in leaf.left || ('right' in leaf && 'path' in leaf.right);
  return open ? leaf : evaluate(leaf, NOTHING);
}

export function allOf(conditions: readonly Condition[]): Condition {
  const open = conditions.filter((condition) => condition !== true);
  if (open.includes(false)) return false;
  return open.length > 1 ? { op: 'all', of: open } : (open[0] ?? true);
}

export function anyOf(conditions: readonly Condition[]): Condition {
  const open = conditions.filter((condition) => condition !== false);
  if (open.includes(true)) return true;
  return open.length > 1 ? { op: 'any', of: open } : (open[0] ?? false);
}

export function not(condition: Condition): Condition {
  return typeof condition === 'boolean' ? !condition : { op: 'not', of: condition };
}
