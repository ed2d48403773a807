import { describe, expect, it } from '@jest/globals';
import { alternatives, parseMetadataFilter } from './metadata-filter.js';

const reason = (json: string): string => {
  const parsed = parseMetadataFilter(json);
  return parsed.ok ? 'accepted' : parsed.reason;
};
const numbered = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]));

describe('parseMetadataFilter', () => {
  it.each([
    {},
    { department: 'legal' },
    { year: [2024, 2025], final: true, note: '' },
    { 'größe.x': -1.5, constructor: 'x' },
    { k: Array.from({ length: 100 }, (_, at) => at) },
    numbered(16),
  ])('reads %j', (filter) => {
    expect(parseMetadataFilter(JSON.stringify(filter))).toEqual({ ok: true, filter });
  });

  it.each(['', 'department', '{', '[]', '"x"', '5', 'null', 'true'])('refuses %j, which is no object', (json) => {
    expect(reason(json)).toContain('must be a JSON object');
  });

  it.each(['{}', 'null', '[]', '[{}]', '[null]', '[[1]]', JSON.stringify(new Array(101).fill(1)), '1e999'])(
    'refuses %s as a value, naming the key',
    (value) => {
      expect(reason(`{"ok": 1, "year": ${value}}`)).toMatch(/^year .*must be a text, a number, true or false/);
    },
  );

  it('refuses too many keys, and keys that no document has', () => {
    expect(reason(JSON.stringify(numbered(17)))).toBe('must have at most 16 keys');
    expect(reason('{"": 1}')).toContain('keys of 1 to 128 characters');
    expect(reason(JSON.stringify({ ['k'.repeat(129)]: 1 }))).toContain('keys of 1 to 128 characters');
  });

  // The database refuses such texts, which would make a fault of the caller look like one of ours.
  it.each(['{"a": "\\u0000"}', '{"a": ["x", "\\ud800"]}', '{"a\\u0000": 1}'])('refuses %s', (json) => {
    expect(reason(json)).not.toBe('accepted');
  });

  // A key that is silently left out lets every document through.
  it('refuses __proto__ rather than ignoring it', () => {
    expect(reason('{"__proto__": "x"}')).toBe('must not have a key named __proto__');
  });
});

describe('alternatives', () => {
  it('are the values of each key as JSON objects', () => {
    expect(alternatives({ department: 'le"gal', year: [2024, '2025', true] })).toEqual([
      ['{"department":"le\\"gal"}'],
      ['{"year":2024}', '{"year":"2025"}', '{"year":true}'],
    ]);
    expect(alternatives({})).toEqual([]);
  });
});
