import { describe, expect, it } from '@jest/globals';
import { textRange } from './text-range.js';

const PENGUIN = 'a🐧b🐟c';

describe('textRange', () => {
  it.each([
    ['abc', 0, undefined, 'abc', 0, 3],
    ['abc', 1, 2, 'b', 1, 2],
    ['abc', 1, 1, '', 1, 1],
    ['abc', 2, 9, 'c', 2, 3],
    ['abc', 7, 9, '', 3, 3],
    ['', 0, undefined, '', 0, 0],
    // Counted in UTF-16 units, a citation behind an emoji would show text beside what was cited.
    [PENGUIN, 0, undefined, PENGUIN, 0, 5],
    [PENGUIN, 1, 2, '🐧', 1, 2],
    [PENGUIN, 2, 4, 'b🐟', 2, 4],
    [PENGUIN, 4, 5, 'c', 4, 5],
    [PENGUIN, 5, 6, '', 5, 5],
  ])('%j from %j to %j is %j', (text, from, to, part, start, end) => {
    const totalChars = Array.from(text).length;
    expect(textRange(text, from, to, 100)).toEqual({ from: start, to: end, text: part, totalChars });
  });

  it('ends at the limit', () => {
    expect(textRange(PENGUIN, 1, undefined, 3)).toEqual({ from: 1, to: 4, text: '🐧b🐟', totalChars: 5 });
    expect(textRange('abcdef', 1, 6, 3)).toMatchObject({ from: 1, to: 4, text: 'bcd' });
  });
});
