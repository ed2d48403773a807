import { describe, expect, it } from '@jest/globals';
import { rateFields } from './rate-fields.js';

const limit = (policy: string, rate: number, burst: number, tokens: number, retryAfterMs = 0) => ({
  policy,
  bucket: { id: 'b', rate, burst },
  level: { tokens, retryAfterMs },
});

describe('rateFields', () => {
  it('says what each bucket holds, and when it is full', () => {
    expect(rateFields([limit('api_key:read', 5, 20, 12.4), limit('tenant:read', 15, 60, 60)], 1)).toEqual({
      'RateLimit-Policy': '"api_key:read";q=20;w=4, "tenant:read";q=60;w=4',
      RateLimit: '"api_key:read";r=12;t=2, "tenant:read";r=60;t=0',
    });
  });

  // A client that reads "2 left" while each request takes 3 runs into a refusal that it was told would not come.
  it('counts requests, not tokens', () => {
    expect(rateFields([limit('api_key:run', 1, 5, 2)], 3)).toEqual({
      'RateLimit-Policy': '"api_key:run";q=1;w=5',
      RateLimit: '"api_key:run";r=0;t=3',
    });
  });

  it('names the wait of a bucket that refused', () => {
    const { RateLimit: found } = rateFields([limit('api_key:run', 0.5, 5, 1, 4000)], 3);
    expect(found).toBe('"api_key:run";r=0;t=4');
  });

  it('names no time for a bucket that never refills', () => {
    expect(rateFields([limit('api_key:read', 0, 5, 4)], 1)).toEqual({
      'RateLimit-Policy': '"api_key:read";q=5',
      RateLimit: '"api_key:read";r=4',
    });
  });
});
