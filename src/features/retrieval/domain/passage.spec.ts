import { describe, expect, it } from '@jest/globals';
import { scoreOf } from './passage.js';

describe('scoreOf', () => {
  it.each([
    [0, 1],
    [0.25, 0.75],
    [1, 0],
    [2, 0],
    [-0.1, 1],
    [NaN, 0],
  ])('distance %p scores %p', (distance, score) => {
    expect(scoreOf(distance)).toBe(score);
  });
});
