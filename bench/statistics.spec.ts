import { describe, expect, it } from '@jest/globals';
import { median, percentile, recall, trend } from './statistics.js';

describe('percentile', () => {
  it('interpolates between neighbours, in whatever order the values come', () => {
    expect(percentile([40, 10, 30, 20], 0)).toBe(10);
    expect(percentile([40, 10, 30, 20], 0.5)).toBe(25);
    expect(percentile([40, 10, 30, 20], 0.95)).toBeCloseTo(38.5);
    expect(percentile([40, 10, 30, 20], 1)).toBe(40);
  });

  it('is the middle for a half, and the value itself when there is one', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(percentile([7], 0.95)).toBe(7);
  });

  // A figure that nobody measured must not look like a good one.
  it('is not a number without values', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('leaves the values as they are', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('trend', () => {
  it('finds the slope of a line, without error', () => {
    const { slope, error } = trend([1, 2, 3, 4].map((x) => ({ x, y: 5 - 2 * x })));
    expect(slope).toBeCloseTo(-2);
    expect(error).toBeCloseTo(0);
  });

  it('has an error that grows with the noise around the line', () => {
    const noisy = (noise: number) =>
      trend([0, 1, 2, 3, 4, 5].map((x) => ({ x, y: x + (x % 2 === 0 ? noise : -noise) })));
    expect(noisy(1).error).toBeGreaterThan(noisy(0.1).error);
    expect(noisy(1).error).toBeCloseTo(10 * noisy(0.1).error);
  });
});

describe('recall', () => {
  it('is the share of the expected that was found, in whatever order', () => {
    expect(recall(['c', 'a', 'x'], ['a', 'b', 'c', 'd'])).toBe(0.5);
    expect(recall([], [])).toBe(1);
    expect(recall(['a'], [])).toBe(1);
  });
});
