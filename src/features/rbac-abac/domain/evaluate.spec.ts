import { describe, expect, it } from '@jest/globals';
import type { Attributes, Json } from './attributes.js';
import { parseCondition } from './condition.js';
import { evaluate } from './evaluate.js';

const ATTRIBUTES: Attributes = {
  principal: { role: 'editor', groups: ['finance', 'hr'] },
  request: { time: '2026-02-28T15:00:00.000Z' },
  resource: {
    labels: JSON.parse('{"team": "hr", "__proto__x": "1"}') as Json,
    metadata: { a: { b: [1, { c: null }] }, 'x.y': 1, list: ['zero'], number: 1.5, flag: true, gone: null },
  },
};
function holds(json: unknown, attributes = ATTRIBUTES): boolean {
  const parsed = parseCondition(json);
  if (!parsed.ok) throw new Error(parsed.reason);
  return evaluate(parsed.condition, attributes);
}
const at = (time: Json): Attributes => ({ ...ATTRIBUTES, request: { time } });
const time = { var: 'request.time' };

describe('all, any and not', () => {
  it.each<[unknown, boolean]>([
    [{ all: [] }, true],
    [{ any: [] }, false],
    [{ all: [true, {}, null] }, true],
    [{ all: [true, false] }, false],
    [{ any: [false, true] }, true],
    [{ not: { any: [] } }, true],
    [{ not: {} }, false],
  ])('%j is %s', (json, expected) => expect(holds(json)).toBe(expected));
});

describe('variables', () => {
  it.each<[string, Json]>([
    ['principal.role', 'editor'],
    ['principal.role.length', null],
    ['principal.none', null],
    ['principal.constructor', null],
    ['resource.labels.toString', null],
    ['resource.labels.__proto__', null],
    ['resource.metadata.a.b', [1, { c: null }]],
    ['resource.metadata.a.b.0', null],
    ['resource.metadata.list.length', null],
    ['resource.metadata.x.y', null],
    ['resource.none.none', null],
  ])('%s is %j', (path, value) => expect(holds({ eq: { field: path, value } })).toBe(true));
});

describe('comparisons', () => {
  it.each<[string, Json, Json, boolean]>([
    ['eq', 1, 1.0, true],
    ['eq', 0, -0, true],
    ['eq', 1, true, false],
    ['eq', 0, false, false],
    ['eq', 1, '1', false],
    ['eq', null, null, true],
    ['eq', null, false, false],
    ['eq', null, '', false],
    ['eq', { a: [1, { b: 2 }], c: 3 }, { c: 3, a: [1, { b: 2 }] }, true],
    ['eq', { a: 1 }, { a: 1, b: null }, false],
    ['eq', { a: 1, c: null }, { a: 1, b: null }, false],
    ['eq', [1, 2], [2, 1], false],
    ['eq', [], {}, false],
    ['eq', { 0: 1 }, [1], false],
    ['eq', 'é', 'e\u0301', false],
    ['ne', 1, true, true],
    ['ne', null, null, false],
    ['in', 'hr', ['finance', 'hr'], true],
    ['in', 1, [true, '1'], false],
    ['in', [1], [[1]], true],
    ['in', null, [null], true],
    ['in', null, null, false],
    ['in', 'hr', 'hr', true],
    ['in', 'h', 'hr', false],
    ['in', 'hr', { hr: 1 }, false],
    ['in', { hr: 1 }, { hr: 1 }, false],
    ['not_in', 'hr', null, true],
    ['not_in', 'hr', ['hr'], false],
    ['not_in', 'hr', { hr: 1 }, true],
    ['gt', 2, 1.5, true],
    ['gt', 10, 9, true],
    ['gt', '10', '9', false],
    ['gt', 'b', 'B', true],
    ['gt', 'ab', 'a', true],
    ['gt', '😀', '\uffff', true],
    ['lt', '\uffff', '😀', true],
    ['gte', 2, 2, true],
    ['lte', 'a', 'a', true],
    ['gte', null, null, false],
    ['lte', null, 1, false],
    ['gt', '2', 1, false],
    ['lt', '2', 1, false],
    ['gte', true, false, false],
    ['lte', [1], [1], false],
    ['contains', 'a.*b', '.*', true],
    ['contains', 'abc', '.*', false],
    ['contains', 'abc', '', true],
    ['contains', 'is true', true, true],
    ['contains', 'v1.5', 1.5, true],
    ['contains', 'null', null, false],
    ['contains', ['a', 1], 1, true],
    ['contains', ['a', 1], '1', false],
    ['contains', [{ a: 1 }], { a: 1 }, true],
    ['contains', [null], null, false],
    ['contains', null, 'a', false],
    ['contains', { a: 1 }, 'a', false],
    ['contains', 11, 1, false],
    ['starts_with', '%x', '%', true],
    ['starts_with', 'abc', '%', false],
    ['starts_with', '15 days', 15, true],
    ['starts_with', 'null', null, false],
    ['starts_with', 15, 1, false],
    ['starts_with', ['a'], 'a', false],
  ])('%s %j %j is %s', (op, left, right, expected) => expect(holds({ [op]: [left, right] })).toBe(expected));

  it('take values from variables on either side', () => {
    expect(holds({ in: [{ var: 'resource.labels.team' }, { var: 'principal.groups' }] })).toBe(true);
    expect(holds({ contains: [{ var: 'principal.groups' }, { var: 'resource.labels.team' }] })).toBe(true);
    expect(holds({ lt: [1, { var: 'resource.metadata.number' }] })).toBe(true);
  });
});

describe('time_between', () => {
  const night = { start: '22:00', end: '06:00' };
  it.each([
    ['23:30', true],
    ['05:59', true],
    ['12:00', false],
    ['22:00', true],
    ['06:00', true],
    ['06:00:01', false],
    ['21:59:59', false],
  ])('06 case AZ18: over midnight, at %s is %s', (now, expected) => {
    expect(holds({ time_between: [time, night] }, at(now))).toBe(expected);
    expect(holds({ time_between: [time, night] }, at(`2026-07-01T${now}Z`))).toBe(expected);
  });

  const day = { start: '09:00', end: '18:00' };
  it.each<[Json, boolean]>([
    ['2026-02-28T09:00:00Z', true],
    ['2026-02-28T18:00:00.000Z', true],
    ['2026-02-28T18:00:00.001Z', false],
    ['2026-02-28T08:59:59.999Z', false],
    ['2026-02-28T17:30:00-11:00', true],
    ['2026-02-28 17:30', true],
    ['2026-02-28T17:30+0530', true],
    ['2026-02-28', false],
    ['2026-02-30T10:00Z', false],
    ['2026-02-28T10:00+25:00', false],
    ['10:60', false],
    ['10', false],
    ['', false],
    [10, false],
    [null, false],
    [['10:00'], false],
  ])('by day, at %j is %s', (now, expected) => {
    expect(holds({ time_between: [time, day] }, at(now))).toBe(expected);
  });

  it.each([
    // Winter is UTC+1, summer UTC+2; on the last Sunday of March 02:00 becomes 03:00.
    ['2026-01-15T08:00:00Z', 'Europe/Berlin', true],
    ['2026-01-15T07:59:59Z', 'Europe/Berlin', false],
    ['2026-07-15T07:00:00Z', 'Europe/Berlin', true],
    ['2026-07-15T16:30:00Z', 'Europe/Berlin', false],
    ['2026-03-29T00:59:59Z', 'Europe/Berlin', false],
    ['2026-07-15T12:00:00-09:00', 'Europe/Berlin', false],
    ['2026-07-15T07:30:00', 'Europe/Berlin', true],
    ['2026-07-15T03:15:00Z', 'Asia/Kathmandu', true],
    ['2026-07-15T03:14:59Z', 'Asia/Kathmandu', false],
    ['09:30', 'Asia/Kathmandu', true],
  ])('%s on the clocks of %s is %s', (now, tz, expected) => {
    expect(holds({ time_between: [time, { ...day, tz }] }, at(now))).toBe(expected);
  });

  it('follows a change of the clocks', () => {
    const window = { time_between: [time, { start: '01:59:59', end: '03:00', tz: 'Europe/Berlin' }] };
    expect(['00:59:59', '01:00:00', '01:00:01'].map((utc) => holds(window, at(`2026-03-29T${utc}Z`)))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('date_between', () => {
  it('06 case AZ19: takes a date for the end as that whole day', () => {
    const window = { start: '2026-02-01', end: '2026-02-28' };
    expect(holds({ date_between: [time, window] }, at('2026-02-28T15:00Z'))).toBe(true);
  });

  it.each<[Json, boolean]>([
    ['2026-02-01T00:00:00Z', true],
    ['2026-01-31T23:59:59.999Z', false],
    ['2026-02-28T23:59:59.999999Z', true],
    ['2026-03-01T00:00:00Z', false],
    ['2026-03-01T00:30:00+01:00', true],
    ['2026-02-28T23:30:00-01:00', false],
    ['2026-02-28', true],
    ['2026-03-01', false],
    ['2026-02-28T23:59:59', true],
    ['12:00', false],
    ['2026-02-29', false],
    ['+002026-02-10', false],
    [1_770_000_000, false],
    [null, false],
  ])('%j is %s', (value, expected) => {
    expect(holds({ date_between: [time, { start: '2026-02-01', end: '2026-02-28' }] }, at(value))).toBe(expected);
  });

  it('compares instants, whatever their offsets', () => {
    const window = { start: '2026-02-01T10:00:00+02:00', end: '2026-02-01T08:00:00Z' };
    expect(holds({ date_between: [time, window] }, at('2026-02-01T03:00:00-05:00'))).toBe(true);
    expect(holds({ date_between: [time, window] }, at('2026-02-01T03:00:01-05:00'))).toBe(false);
  });
});
