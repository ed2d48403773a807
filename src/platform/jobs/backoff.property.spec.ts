import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from './backoff.js';

describe('backoff', () => {
  it('doubles with each attempt', () => {
    const policy = { baseMs: 2_000, maxMs: 60_000 };
    expect([1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs(policy, attempt, 0.5))).toEqual([
      2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
  });

  it('stays within ±20 % of its value and never exceeds the maximum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (baseMs, maxMs, attempt, fraction) => {
          const wait = backoffMs({ baseMs, maxMs }, attempt, fraction);
          const exact = baseMs * 2 ** (attempt - 1);
          expect(wait).toBeLessThanOrEqual(maxMs);
          expect(wait).toBeGreaterThanOrEqual(Math.floor(Math.min(maxMs, exact * 0.8)));
          expect(wait).toBeLessThanOrEqual(Math.ceil(exact * 1.2));
        },
      ),
    );
  });
});
