import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, canonicalText } from './canonical-json.js';

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, child]) => [key, shuffled(child)]),
  );
}

describe('canonical JSON', () => {
  it('is the same for every order of keys, at every depth, and reads as what went in', () => {
    fc.assert(
      fc.property(
        fc.json().map((text) => JSON.parse(text) as unknown),
        (value) => {
          expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
          expect(JSON.parse(canonicalJson(value))).toEqual(value);
        },
      ),
    );
  });

  it('of RFC 8785 is the same for every order of keys, numbers among them, and escapes no letter', () => {
    expect(canonicalText({ é: '護\n', b: [1.5, null], 9: true, 10: '' })).toBe(
      '{"10":"","9":true,"b":[1.5,null],"é":"護\\n"}',
    );
    for (const none of [undefined, NaN, 1n, { a: undefined }]) expect(() => canonicalText(none)).toThrow();
    expect(() => canonicalText([1.5], Number.isSafeInteger)).toThrow();
  });

  it('keeps apart what differs', () => {
    const values = [null, false, 0, '', [], {}, '0', [0], { a: null }, { a: [1, 2] }, { a: [2, 1] }, { a: 1, b: 2 }];
    expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
  });

  it('has no blanks and only ASCII', () => {
    expect(canonicalJson({ b: 'Zürich 🐧', a: [1, 2] })).toBe('{"a":[1,2],"b":"Z\\u00fcrich \\ud83d\\udc27"}');
  });

  it('leaves out what is undefined and writes dates and big integers as text', () => {
    const date = new Date('2026-01-01T00:00:00Z');
    expect(canonicalJson({ a: undefined, d: date, n: 1n })).toBe('{"d":"2026-01-01T00:00:00.000Z","n":"1"}');
    expect(canonicalJson(undefined)).toBe('null');
  });
});
