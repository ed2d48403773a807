import type { Json } from './attributes.js';
import { DAY_MS, parseMoment, ZoneClock } from './moments.js';

const ROOTS = ['principal', 'resource', 'request'] as const;
type Root = (typeof ROOTS)[number];

const COMPARATORS = ['eq', 'ne', 'in', 'not_in', 'gt', 'gte', 'lt', 'lte', 'contains', 'starts_with'] as const;
export type Comparator = (typeof COMPARATORS)[number];

export type Operand = { readonly literal: Json } | { readonly path: readonly [Root, ...string[]] };

export interface Comparison {
  readonly op: Comparator;
  readonly left: Operand;
  readonly right: Operand;
}

/** Milliseconds since midnight, both ends inclusive; a start after the end means over midnight. */
export interface TimeWindow {
  readonly op: 'time_between';
  readonly left: Operand;
  readonly start: number;
  readonly end: number;
  /** Without one, the wall clock of the value itself counts. */
  readonly zone: ZoneClock | undefined;
}

/** Milliseconds since 1970, both ends inclusive. */
export interface DateWindow {
  readonly op: 'date_between';
  readonly left: Operand;
  readonly start: number;
  readonly end: number;
}

export type Leaf = Comparison | TimeWindow | DateWindow;

/** When a policy applies. */
export type Condition =
  | boolean
  | { readonly op: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly op: 'not'; readonly of: Condition }
  | Leaf;

export type ParsedCondition =
  { readonly ok: true; readonly condition: Condition } | { readonly ok: false; readonly reason: string };

/** Of operators, and of lists and objects in a literal: what every recursive reader can take. */
const MAX_NESTING = 64;

class Invalid extends Error {}

/** Reads a condition as it is written and stored. `reason` is public. */
export function parseCondition(json: unknown): ParsedCondition {
  try {
    if (typeof json === 'boolean') throw new Invalid('must be an object');
    return { ok: true, condition: parseNode(json, 'condition', 1) };
  } catch (error) {
    if (error instanceof Invalid) return { ok: false, reason: error.message };
    throw error;
  }
}

function parseNode(json: unknown, at: string, level: number): Condition {
  if (level > MAX_NESTING) throw new Invalid(`condition must not be deeper than ${MAX_NESTING} levels`);
  if (json === null || typeof json === 'boolean') return json ?? true;
  if (!isObject(json)) throw new Invalid(`${at} must be an object with one operator`);
  const [entry, ...more] = Object.entries(json);
  if (entry === undefined) return true;
  if (more.length > 0) throw new Invalid(`${at} must have one operator; combine several with all or any`);
  const [op, payload] = entry;
  const inside = `${at}.${op.slice(0, 32)}`;
  if (op === 'not') return { op, of: parseNode(payload, inside, level + 1) };
  if (op === 'all' || op === 'any') {
    if (!Array.isArray(payload)) throw new Invalid(`${inside} must be a list of conditions`);
    return { op, of: payload.map((child, index) => parseNode(child, `${inside}[${index}]`, level + 1)) };
  }
  return parseLeaf(op, payload, inside);
}

function parseLeaf(op: string, payload: unknown, at: string): Leaf {
  if (op === 'time_between' || op === 'date_between') return parseWindow(op, payload, at);
  if (!(COMPARATORS as readonly string[]).includes(op)) throw new Invalid(`${at} is no operator`);
  const [left, right] = operands(payload, at);
  return { op: op as Comparator, left, right: operand(right, at) };
}

function parseWindow(op: 'time_between' | 'date_between', payload: unknown, at: string): Leaf {
  const [left, window] = operands(payload, at);
  if (!isObject(window)) throw new Invalid(`${at} must compare with an object {"start", "end"}`);
  const keys = op === 'time_between' ? ['start', 'end', 'tz'] : ['start', 'end'];
  if (!Object.keys(window).every((key) => keys.includes(key))) {
    throw new Invalid(`${at} must have a window of nothing but ${keys.join(', ')}`);
  }
  const read = op === 'time_between' ? timeAt : pointInTime;
  if ('literal' in left) read(left.literal, at);
  const [start, end] = [read(window['start'], `${at}.start`), read(window['end'], `${at}.end`)];
  if (op === 'time_between') return { op, left, start: start.first, end: end.last, zone: zoneOf(window['tz'], at) };
  return { op, left, start: start.first, end: end.last };
}

interface Bounds {
  readonly first: number;
  readonly last: number;
}

function timeAt(json: unknown, at: string): Bounds {
  const time = typeof json === 'string' ? parseMoment(json)?.timeOfDay : undefined;
  if (time === undefined) throw new Invalid(`${at} must be a time such as "09:00", or an ISO date and time`);
  return { first: time, last: time };
}

function pointInTime(json: unknown, at: string): Bounds {
  const { instant, timeOfDay } = (typeof json === 'string' ? parseMoment(json) : undefined) ?? {};
  if (instant === undefined) throw new Invalid(`${at} must be an ISO date, or an ISO date and time`);
  // A mere date lasts the whole day.
  return { first: instant, last: timeOfDay === undefined ? instant + DAY_MS - 1 : instant };
}

function zoneOf(json: unknown, at: string): ZoneClock | undefined {
  if (json === undefined) return undefined;
  const zone = typeof json === 'string' ? ZoneClock.of(json) : undefined;
  if (zone === undefined) throw new Invalid(`${at}.tz must be an IANA time zone such as "Europe/Berlin"`);
  return zone;
}

/** The left operand, and the right one as it is written. */
function operands(payload: unknown, at: string): [Operand, unknown] {
  if (Array.isArray(payload) && payload.length === 2) return [operand(payload[0], at), payload[1]];
  if (isObject(payload) && Object.keys(payload).length === 2) {
    if (Object.hasOwn(payload, 'left') && Object.hasOwn(payload, 'right')) {
      return [operand(payload['left'], at), payload['right']];
    }
    if (Object.hasOwn(payload, 'field') && Object.hasOwn(payload, 'value')) {
      return [{ path: pathOf(payload['field'], at) }, payload['value']];
    }
  }
  throw new Invalid(`${at} must have two operands: [left, right], {"left", "right"} or {"field", "value"}`);
}

function operand(json: unknown, at: string): Operand {
  if (isObject(json) && Object.hasOwn(json, 'var') && Object.keys(json).length === 1) {
    return { path: pathOf(json['var'], at) };
  }
  return { literal: literal(json, at, 1) };
}

function pathOf(json: unknown, at: string): readonly [Root, ...string[]] {
  const [root, ...keys] = typeof json === 'string' ? json.split('.') : [];
  if (!(ROOTS as readonly unknown[]).includes(root) || keys.includes('') || !isStorable(keys.join('.'))) {
    throw new Invalid(`${at} must name a variable such as "resource.labels.team"; roots are ${ROOTS.join(', ')}`);
  }
  return [root as Root, ...keys];
}

function literal(json: unknown, at: string, level: number): Json {
  if (level > MAX_NESTING) throw new Invalid(`${at} must not have values deeper than ${MAX_NESTING} levels`);
  if (json === null || typeof json === 'boolean') return json;
  if (typeof json === 'number' && Number.isFinite(json)) return json;
  if (typeof json === 'string' && isStorable(json)) return json;
  if (Array.isArray(json)) return json.map((item) => literal(item, at, level + 1));
  if (!isObject(json)) throw new Invalid(`${at} must have JSON values without NUL characters or lone surrogates`);
  if (Object.hasOwn(json, 'var')) throw new Invalid(`${at} must have {"var"} only as a whole operand`);
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [literal(key, at, level), literal(value, at, level + 1)]),
  ) as Json;
}

/** Whether the database's JSON type can hold a text. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
