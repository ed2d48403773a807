import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { expirySeconds, hasEnough, refilled, retryAfterMs } from './token-bucket.js';

const bucket = (rate: number, burst: number) => ({ id: 'b', rate, burst });

describe('a token bucket', () => {
  it('01 §10 case 7: without tokens at 2 a second, one is there after 500 ms', () => {
    expect(retryAfterMs(bucket(2, 5), 0, 1)).toBe(500);
  });

  it('01 §10 case 7: with 4.5 of 5 tokens it is full after 10 s, and no fuller', () => {
    expect(refilled(bucket(2, 5), { tokens: 4.5, at: 0 }, 10_000)).toBe(5);
  });

  it('is full when nobody used it yet, and as full as its burst allows when that was lowered', () => {
    expect(refilled(bucket(1, 7), undefined, 123)).toBe(7);
    expect(refilled(bucket(1, 7), { tokens: 20, at: 0 }, 0)).toBe(7);
  });

  it('neither gains nor loses when the clock goes back an hour', () => {
    expect(refilled(bucket(2, 5), { tokens: 1.25, at: 3_600_000 }, 0)).toBe(1.25);
  });

  it('that never refills tells to ask again in a second, and one with enough to ask at once', () => {
    expect(retryAfterMs(bucket(0, 5), 0, 1)).toBe(1000);
    expect(retryAfterMs(bucket(0, 5), 1, 1)).toBe(0);
  });

  it('is kept for twice the time in which it fills, a second at least', () => {
    expect(expirySeconds(bucket(2, 5))).toBe(5);
    expect(expirySeconds(bucket(0.3, 1))).toBe(7);
    expect(expirySeconds(bucket(100, 1))).toBe(1);
    expect(expirySeconds(bucket(0, 10))).toBe(10);
    expect(expirySeconds(bucket(0, 0))).toBe(1);
  });

  // A client that waits as told and is refused again tells its user a lie.
  it('has enough exactly when it said so, whatever small steps led there', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.integer({ min: 1, max: 10 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 }),
        (rate, cost, steps) => {
          const own = bucket(rate, 10);
          const due = retryAfterMs(own, 0, cost);
          let state = { tokens: 0, at: 0 };
          for (const step of steps) {
            const at = Math.min(due, state.at + step);
            state = { tokens: refilled(own, state, at), at };
          }
          expect(hasEnough(refilled(own, state, due), cost)).toBe(true);
        },
      ),
    );
  });
});
