import type { Attributes, Json, JsonObject } from './attributes.js';
import type { Comparator, Condition, DateWindow, Leaf, Operand, TimeWindow } from './condition.js';
import { parseMoment } from './moments.js';

/** Never throws: what a value does not allow is false. */
export function evaluate(condition: Condition, attributes: Attributes): boolean {
  if (typeof condition === 'boolean') return condition;
  switch (condition.op) {
    case 'all':
      for (const child of condition.of) if (!evaluate(child, attributes)) return false;
      return true;
    case 'any':
      for (const child of condition.of) if (evaluate(child, attributes)) return true;
      return false;
    case 'not':
      return !evaluate(condition.of, attributes);
    default:
      return evaluateLeaf(condition, attributes);
  }
}

function evaluateLeaf(leaf: Leaf, attributes: Attributes): boolean {
  const left = valueOf(leaf.left, attributes);
  switch (leaf.op) {
    case 'time_between':
      return isInTimeWindow(left, leaf);
    case 'date_between':
      return isInDateWindow(left, leaf);
    default:
      return HOLDS[leaf.op](left, valueOf(leaf.right, attributes));
  }
}

/** Null for what is not there. Lists have no keys. */
export function valueOf(operand: Operand, attributes: Attributes): Json {
  if ('literal' in operand) return operand.literal;
  let value: unknown = attributes;
  for (const key of operand.path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key) || Array.isArray(value)) return null;
    value = (value as JsonObject)[key];
  }
  return (value ?? null) as Json;
}

const HOLDS: Readonly<Record<Comparator, (left: Json, right: Json) => boolean>> = {
  eq: isEqual,
  ne: (left, right) => !isEqual(left, right),
  in: isIn,
  not_in: (left, right) => !isIn(left, right),
  gt: (left, right) => order(left, right) > 0,
  gte: (left, right) => order(left, right) >= 0,
  lt: (left, right) => order(left, right) < 0,
  lte: (left, right) => order(left, right) <= 0,
  contains: (left, right) => {
    if (right === null) return false;
    return typeof left === 'string' ? left.includes(textOf(right)) : isList(left) && isMember(right, left);
  },
  starts_with: (left, right) => typeof left === 'string' && right !== null && left.startsWith(textOf(right)),
};

/** Texts as they are, anything else as JSON. */
export function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isIn(value: Json, list: Json): boolean {
  if (isList(list)) return isMember(value, list);
  return list !== null && typeof list !== 'object' && value === list;
}

function isMember(value: Json, list: readonly Json[]): boolean {
  for (const item of list) if (isEqual(value, item)) return true;
  return false;
}

function isEqual(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (isList(left) || isList(right)) {
    return (
      isList(left) &&
      isList(right) &&
      left.length === right.length &&
      left.every((item, at) => isEqual(item, right[at] ?? null))
    );
  }
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key] ?? null, right[key] ?? null))
  );
}

/** NaN, which no comparison holds for, unless both are numbers or both are texts. */
function order(left: Json, right: Json): number {
  if (typeof left === 'number' && typeof right === 'number') return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === 'string' && typeof right === 'string') return byCodePoint(left, right);
  return Number.NaN;
}

/** As the database orders texts byte by byte. Code units would put 😀 before U+FFFD. */
function byCodePoint(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  let at = 0;
  while (at < shorter && left.charCodeAt(at) === right.charCodeAt(at)) at += 1;
  if (at === shorter) return left.length - right.length;
  return rank(left.charCodeAt(at)) - rank(right.charCodeAt(at));
}

/** Surrogates stand for code points above every other code unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function isInTimeWindow(value: Json, { start, end, zone }: TimeWindow): boolean {
  const moment = typeof value === 'string' ? parseMoment(value) : undefined;
  if (moment?.timeOfDay === undefined) return false;
  const { instant, timeOfDay } = moment;
  const time = zone === undefined || instant === undefined ? timeOfDay : zone.timeOfDay(instant);
  return start <= end ? start <= time && time <= end : time >= start || time <= end;
}

function isInDateWindow(value: Json, { start, end }: DateWindow): boolean {
  const instant = typeof value === 'string' ? parseMoment(value)?.instant : undefined;
  return instant !== undefined && start <= instant && instant <= end;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
