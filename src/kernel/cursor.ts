import { commonErrors } from './common-errors.js';
import { isUuid } from './ids.js';

/**
 * A keyset cursor carries the sort values of the last row as the database printed them: timestamps as text, so
 * that no microsecond is lost on the way through JavaScript. It is opaque to clients and holds nothing secret; a
 * forged one can only move the caller's position in the caller's own list.
 */
export function encodeCursor(values: readonly string[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** What a sort value must look like to be given to the database. */
export type CursorPart = 'timestamp' | 'integer' | 'uuid' | 'text';

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2}) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?[+-](0\d|1[0-4])(:[0-5]\d)?$/;

/** Of at most ten digits: any `int`, and nothing that does not fit a `bigint`. */
const INTEGER = /^-?\d{1,10}$/;

/** As the database prints one, and a day that the calendar has: anything else would fail in the query. */
function isTimestamp(text: string): boolean {
  const [, year, month, day] = (TIMESTAMP.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || year === 0) return false;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

const PARTS: Readonly<Record<CursorPart, (value: string) => boolean>> = {
  timestamp: isTimestamp,
  integer: (value) => INTEGER.test(value),
  uuid: isUuid,
  text: () => true,
};

/** @throws INVALID_CURSOR when the text is not a cursor with these parts. */
export function decodeCursor(cursor: string, parts: readonly CursorPart[]): string[] {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw commonErrors.INVALID_CURSOR({ cause });
  }
  const fits = (part: CursorPart, value: unknown): boolean =>
    typeof value === 'string' && !value.includes('\0') && PARTS[part](value);
  if (!Array.isArray(values) || values.length !== parts.length || !parts.every((part, i) => fits(part, values[i]))) {
    throw commonErrors.INVALID_CURSOR();
  }
  return values as string[];
}

/** One page of a list. `nextCursor` is null on the last page. */
export class Page<T> {
  constructor(
    readonly items: readonly T[],
    readonly nextCursor: string | null,
  ) {}

  map<U>(fn: (item: T) => U): Page<U> {
    return new Page(this.items.map(fn), this.nextCursor);
  }

  /** Cuts a page from `limit + 1` rows read in order. */
  static of<T>(rows: readonly T[], limit: number, key: (row: T) => readonly string[]): Page<T> {
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return new Page(items, rows.length > limit && last !== undefined ? encodeCursor(key(last)) : null);
  }
}
