import { describe, expect, it } from '@jest/globals';
import { resolveChunkParams, validateChunkParams } from './chunk-params.js';

describe('resolveChunkParams', () => {
  it.each([
    [{}, { size: 1200, overlap: 150 }],
    [
      { size: null, overlap: null },
      { size: 1200, overlap: 150 },
    ],
    [{ size: 100 }, { size: 100, overlap: 12 }],
    [{ size: 5 }, { size: 5, overlap: 0 }],
    [{ size: 4000 }, { size: 4000, overlap: 150 }],
    [
      { size: 10, overlap: 0 },
      { size: 10, overlap: 0 },
    ],
    [{ overlap: 0 }, { size: 1200, overlap: 0 }],
  ])('%j resolves to %j', (given, expected) => {
    expect(resolveChunkParams(given)).toEqual(expected);
    expect(validateChunkParams(resolveChunkParams(given))).toBeUndefined();
  });
});

describe('validateChunkParams', () => {
  it.each([
    [{ size: 100, overlap: 100 }, 'chunk_overlap_chars must be smaller than chunk_size_chars'],
    [{ size: 100, overlap: -1 }, 'chunk_overlap_chars must be a whole number of at least 0'],
    [{ size: 0, overlap: 0 }, 'chunk_size_chars must be a whole number of at least 1'],
    [{ size: 1.5, overlap: 0 }, 'chunk_size_chars must be a whole number of at least 1'],
    [{ size: 10, overlap: NaN }, 'chunk_overlap_chars must be a whole number of at least 0'],
  ])('%j is refused: %s', (given, message) => {
    expect(validateChunkParams(given)).toBe(message);
  });

  it('accepts the largest overlap that still moves forward', () => {
    expect(validateChunkParams({ size: 100, overlap: 99 })).toBeUndefined();
  });
});
