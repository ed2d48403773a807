import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDocumentId, sanitiseFilename } from './document-id.js';

describe('isDocumentId', () => {
  it.each(['a', 'Doc-1.v2_final', '0', 'a'.repeat(128)])('accepts %s', (id) => {
    expect(isDocumentId(id)).toBe(true);
  });

  it.each(['', '.', '..', '../../etc/x', '-a', '_a', 'a/b', 'a b', 'ä', 'a\n', 'a'.repeat(129)])('refuses %j', (id) => {
    expect(isDocumentId(id)).toBe(false);
  });
});

describe('sanitiseFilename', () => {
  it.each([
    ['report.md', 'report.md'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\notes.txt', 'notes.txt'],
    ['Übersicht 概要 😀.txt', 'Übersicht 概要 😀.txt'],
    ['a\r\n\0b\u007f.txt', 'ab.txt'],
    ['gpj.\u202Etxt', 'gpj.txt'],
    ['  spaced.txt ', 'spaced.txt'],
    ['.env', '.env'],
    ['x\ud800.txt', 'x\uFFFD.txt'],
    ['folder/\u0000', 'upload'],
    ['..', 'upload'],
    ['', 'upload'],
    [undefined, 'upload'],
  ])('makes %j into %j', (given, expected) => {
    expect(sanitiseFilename(given)).toBe(expected);
  });

  it('uses the fallback that it is given', () => {
    expect(sanitiseFilename(undefined, 'raw_text.txt')).toBe('raw_text.txt');
  });

  it('keeps the extension when it cuts, counting code points', () => {
    const name = sanitiseFilename(`${'😀'.repeat(300)}.md`);
    expect(Array.from(name)).toHaveLength(255);
    expect(name.endsWith('😀.md')).toBe(true);
    expect(sanitiseFilename('x'.repeat(300))).toBe('x'.repeat(255));
  });

  it('never yields a path, a control character or a name of the wrong length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (given) => {
        const name = sanitiseFilename(given);
        expect(name).not.toMatch(/[/\\\p{Cc}]/u);
        expect(name).not.toMatch(/^\.*$/);
        expect(Array.from(name).length).toBeLessThanOrEqual(255);
        expect(sanitiseFilename(name)).toBe(name);
      }),
    );
  });
});
