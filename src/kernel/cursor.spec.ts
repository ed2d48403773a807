import { describe, expect, it } from '@jest/globals';
import { decodeCursor, encodeCursor, Page } from './cursor.js';

const decode = (...values: string[]) => decodeCursor(encodeCursor(values), ['timestamp', 'text']);

describe('decodeCursor', () => {
  it('gives back what was encoded, to the microsecond', () => {
    expect(decode('2026-02-28 23:59:59.123456+00', 'doc')).toEqual(['2026-02-28 23:59:59.123456+00', 'doc']);
    expect(decode('2026-12-01 00:00:00+05:45', 'x')).toEqual(['2026-12-01 00:00:00+05:45', 'x']);
  });

  // What the database cannot read as a time would fail there, as our fault instead of the caller's.
  it.each([
    '2026-99-99 99:99:99+00',
    '2026-02-30 00:00:00+00',
    '999999-01-01 00:00:00+00',
    '0000-01-01 00:00:00+00',
    '',
  ])('refuses %p as a time', (time) => {
    expect(() => decode(time, 'doc')).toThrow(expect.objectContaining({ code: 'INVALID_CURSOR' }));
  });

  it('takes any int as an integer, and nothing that no bigint could hold', () => {
    const number = (text: string) => decodeCursor(encodeCursor([text]), ['integer']);
    expect([number('-2147483648'), number('100')]).toEqual([['-2147483648'], ['100']]);
    for (const text of ['', '1.5', '1e3', ' 1', '--1', '12345678901', 'x']) {
      expect(() => number(text)).toThrow(expect.objectContaining({ code: 'INVALID_CURSOR' }));
    }
  });

  it.each(['', 'abc', encodeCursor(['2026-01-01 00:00:00+00']), encodeCursor(['2026-01-01 00:00:00+00', 'a\0b'])])(
    'refuses %p',
    (cursor) => {
      expect(() => decodeCursor(cursor, ['timestamp', 'text'])).toThrow(
        expect.objectContaining({ code: 'INVALID_CURSOR' }),
      );
    },
  );
});

describe('Page.of', () => {
  it('has a cursor only when there is more', () => {
    expect(Page.of([1, 2, 3], 2, (n) => [String(n)])).toEqual(new Page([1, 2], encodeCursor(['2'])));
    expect(Page.of([1, 2], 2, (n) => [String(n)]).nextCursor).toBeNull();
  });
});
