import { describe, expect, it } from '@jest/globals';
import { isExempt } from './exempt-paths.js';
import { pinVerdict, refuses, REGION, shownPin } from './pin.js';

describe('a pin', () => {
  it.each([
    [undefined, 'unpinned'],
    [null, 'unpinned'],
    ['', 'unpinned'],
    ['eu', 'here'],
    ['EU', 'elsewhere'],
    ['eu ', 'elsewhere'],
    ['ｅｕ', 'elsewhere'],
    ['еu', 'elsewhere'],
    ['e\u0301u'.normalize('NFC'), 'elsewhere'],
    [0, 'malformed'],
    [false, 'malformed'],
    [42, 'malformed'],
    [[], 'malformed'],
    [['eu'], 'malformed'],
    [{}, 'malformed'],
    [{ toString: 'eu' }, 'malformed'],
  ])('%j is %s', (pin, verdict) => {
    expect(pinVerdict(pin, 'eu')).toBe(verdict);
    expect(refuses(pinVerdict(pin, 'eu'))).toBe(['elsewhere', 'malformed'].includes(verdict));
  });

  it('is shown as it is, or as its JSON, in at most 64 characters', () => {
    expect([shownPin('us'), shownPin(42), shownPin({ a: [1] })]).toEqual(['us', '42', '{"a":[1]}']);
    expect([shownPin('x'.repeat(65)), shownPin(['x'.repeat(65)])].map(({ length }) => length)).toEqual([64, 64]);
  });

  it('is set to something without blanks and without what cannot be seen', () => {
    const accepted = ['', 'eu', 'us-east-1', 'ЕС', 'x'.repeat(64)];
    expect(accepted.filter((region) => !REGION.test(region))).toEqual([]);
    const refused = [
      ' ',
      ' eu',
      'eu ',
      'e u',
      'eu\n',
      '\u00a0',
      'e\u200bu',
      '\ufeffeu',
      '\0',
      '\ud800',
      'x'.repeat(65),
    ];
    expect(refused.filter((region) => REGION.test(region))).toEqual([]);
  });
});

describe('exempt paths', () => {
  it('are exactly these', () => {
    expect(['/v1/health', '/metrics', '/.well-known/receipt-keys.json'].every(isExempt)).toBe(true);
    expect(['/v1/health/', '/V1/health', '/v1/health/x', '/v1/documents', '', '/'].some(isExempt)).toBe(false);
  });
});
