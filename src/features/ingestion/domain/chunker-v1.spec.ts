import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chunkV1 } from './chunker-v1.js';
import { normaliseText } from './source-text.js';

const ranges = (text: string, size: number, overlap: number): [number, number][] =>
  chunkV1(text, { size, overlap }).map((chunk) => [chunk.offsetStart, chunk.offsetEnd]);

const params = fc
  .integer({ min: 1, max: 40 })
  .chain((size) => fc.record({ size: fc.constant(size), overlap: fc.integer({ min: 0, max: size - 1 }) }));

/** Paragraph-heavy text with astral characters and every kind of newline. */
const source = fc
  .array(
    fc.oneof(
      fc.constantFrom('\n\n', '\n', '\r\n\r\n', '\r', '\n\n\n', ' ', '\t\n\n '),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.string({ unit: fc.constantFrom('a', 'é', '😀', '中', ' ', '\n'), maxLength: 120 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

describe('chunkV1', () => {
  it('cuts a long paragraph into overlapping windows', () => {
    const text = 'A'.repeat(2600);
    expect(ranges(text, 1200, 150)).toEqual([
      [0, 1200],
      [1050, 2250],
      [2100, 2600],
    ]);
    expect(ranges(text, 800, 100)).toEqual([
      [0, 800],
      [700, 1500],
      [1400, 2200],
      [2100, 2600],
    ]);
  });

  it('repeats nothing with zero overlap', () => {
    expect(ranges('x'.repeat(25), 10, 0)).toEqual([
      [0, 10],
      [10, 20],
      [20, 25],
    ]);
  });

  it('makes one window of a paragraph that exactly fits', () => {
    expect(ranges('x'.repeat(10), 10, 3)).toEqual([[0, 10]]);
  });

  it('finds the three paragraphs of a CRLF text once normalised', () => {
    const stored = normaliseText('one\r\n\r\ntwo\r\nstill two\r\n\r\nthree\r\n');
    const chunks = chunkV1(stored, { size: 1200, overlap: 150 });
    expect(chunks.map((chunk) => chunk.text)).toEqual(['one', 'two\nstill two', 'three']);
    for (const chunk of chunks) expect(stored.slice(chunk.offsetStart, chunk.offsetEnd)).toBe(chunk.text);
  });

  // Citations of everything after the first long paragraph would point at the wrong passage.
  it('gives absolute offsets after a long paragraph, also when its text comes again', () => {
    const text = `  ${'A'.repeat(15)}\n\n\n  AAAAA \n\nB`;
    expect(ranges(text, 10, 5)).toEqual([
      [2, 12],
      [7, 17],
      [22, 27],
      [30, 31],
    ]);
  });

  it('counts code points, never splitting a surrogate pair', () => {
    const unplaced = { page: null, section: null };
    expect(chunkV1('😀😀😀\n\né😀', { size: 2, overlap: 1 })).toEqual([
      { index: 0, text: '😀😀', offsetStart: 0, offsetEnd: 2, ...unplaced },
      { index: 1, text: '😀😀', offsetStart: 1, offsetEnd: 3, ...unplaced },
      { index: 2, text: 'é😀', offsetStart: 5, offsetEnd: 7, ...unplaced },
    ]);
  });

  it('has no chunks for a blank text', () => {
    expect(chunkV1('', { size: 5, overlap: 0 })).toEqual([]);
    expect(chunkV1(' \n\n\t\n\n', { size: 5, overlap: 0 })).toEqual([]);
  });

  it('refuses parameters that could never finish', () => {
    expect(() => chunkV1('abc', { size: 100, overlap: 100 })).toThrow(RangeError);
  });

  it('has offsets that slice back to the text of the chunk, in order, numbered from 0', () => {
    fc.assert(
      fc.property(source, params, (raw, given) => {
        const text = normaliseText(raw);
        const points = Array.from(text);
        const chunks = chunkV1(text, given);
        chunks.forEach((chunk, position) => {
          expect(points.slice(chunk.offsetStart, chunk.offsetEnd).join('')).toBe(chunk.text);
          expect(chunk.index).toBe(position);
          expect(chunk.offsetEnd - chunk.offsetStart).toBeLessThanOrEqual(given.size);
          expect(chunk.offsetStart).toBeGreaterThan(chunks[position - 1]?.offsetStart ?? -1);
        });
      }),
    );
  });

  it('covers every character that is not white space', () => {
    fc.assert(
      fc.property(source, params, (raw, given) => {
        const text = normaliseText(raw);
        const uncovered = Array.from(text);
        for (const chunk of chunkV1(text, given)) {
          uncovered.fill(' ', chunk.offsetStart, chunk.offsetEnd);
        }
        expect(uncovered.join('').trim()).toBe('');
      }),
    );
  });

  it('overlaps neighbouring windows of one paragraph by exactly the overlap', () => {
    const paragraph = fc.string({ unit: fc.constantFrom('a', '😀', '中'), minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(paragraph, params, (text, given) => {
        const chunks = chunkV1(text, given);
        chunks.slice(1).forEach((chunk, position) => {
          expect((chunks[position]?.offsetEnd ?? NaN) - chunk.offsetStart).toBe(given.overlap);
        });
      }),
    );
  });

  // A quadratic scan would hold the worker's event loop for minutes on the largest accepted upload.
  it('chunks millions of characters of small and of one huge paragraph', () => {
    const huge = chunkV1('é'.repeat(4_000_000), { size: 1200, overlap: 1100 });
    expect(huge.at(-1)?.offsetEnd).toBe(4_000_000);
    const small = chunkV1('word word\n\n'.repeat(350_000), { size: 1200, overlap: 150 });
    expect(small).toHaveLength(350_000);
    expect(small.at(-1)?.offsetEnd).toBe(350_000 * 11 - 2);
  });
});

// A few kilobytes with an overlap just below the size would otherwise fill the memory of a worker.
describe('the limit of chunkV1', () => {
  it('stops one chunk past it', () => {
    const params = { size: 1000, overlap: 999 };
    expect(chunkV1('x'.repeat(5000), params, 100)).toHaveLength(101);
    expect(chunkV1('a\n\nb\n\nc', { size: 10, overlap: 0 }, 2)).toHaveLength(3);
  });

  it('changes nothing below it', () => {
    const params = { size: 10, overlap: 3 };
    const text = 'x'.repeat(45);
    const chunks = chunkV1(text, params);
    expect(chunkV1(text, params, chunks.length)).toEqual(chunks);
  });
});
