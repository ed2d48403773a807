import { describe, expect, it } from '@jest/globals';
import { denialOf } from './denial.js';

describe('denialOf', () => {
  it.each([
    ['the key alone is short', 400, 0, { scope: 'api_key', retryAfterMs: 400 }],
    ['the tenant alone is short', 0, 300, { scope: 'tenant', retryAfterMs: 300 }],
    ['both are, the key for longer', 400, 300, { scope: 'api_key', retryAfterMs: 400 }],
    ['both are, the tenant for longer', 400, 500, { scope: 'tenant', retryAfterMs: 500 }],
    ['both are for as long', 400, 400, { scope: 'api_key', retryAfterMs: 400 }],
  ])('%s', (_name, ofKey, ofTenant, denial) => {
    expect(denialOf(ofKey, ofTenant)).toEqual(denial);
  });
});
