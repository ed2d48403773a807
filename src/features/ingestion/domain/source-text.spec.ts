import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { acceptText, normaliseNewlines, normaliseText } from './source-text.js';

describe('normaliseNewlines', () => {
  it('turns CRLF and lone CR into LF', () => {
    expect(normaliseNewlines('a\r\nb\rc\nd\r\r\n\n')).toBe('a\nb\nc\nd\n\n\n');
  });
});

describe('normaliseText', () => {
  it('strips the byte order mark and NUL, and keeps the Unicode form', () => {
    expect(normaliseText('\uFEFFe\u0301\0x')).toBe('e\u0301x');
  });

  it('joins a CRLF that a NUL stood between', () => {
    expect(normaliseText('a\r\0\nb')).toBe('a\nb');
  });

  it('replaces a lone surrogate by one character', () => {
    expect(normaliseText('a\ud800b😀')).toBe('a\uFFFDb😀');
  });

  // Offsets are counted before storing and used after: a text that changes on the way breaks every citation.
  it('survives storage as UTF-8 unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud83d', '\ude00', '\0'), (text, odd) => {
        const stored = normaliseText(text + odd + text);
        expect(Buffer.from(stored, 'utf8').toString('utf8')).toBe(stored);
        expect(stored).not.toMatch(/[\r\0]/);
      }),
    );
  });
});

describe('acceptText', () => {
  it.each(['', ' \n\t', '\0\0', '\uFEFF \r\n'])('refuses %j as blank', (raw) => {
    expect(acceptText(raw)).toEqual({ ok: false, reason: 'text must not be blank' });
  });

  it('keeps outer white space of a text', () => {
    expect(acceptText(' a\r\n')).toEqual({ ok: true, text: ' a\n' });
  });
});
