import { describe, expect, it } from '@jest/globals';
import type { Principal } from '../../../kernel/principal.js';
import { ManualClock } from '../../../kernel/time.js';
import { PrincipalCache } from './principal-cache.js';

const principal: Principal = {
  subjectId: 'u',
  tenantId: 't',
  role: 'reader',
  apiKeyId: 'k',
  authMethod: 'api_key',
  subjectType: 'user',
};

describe('PrincipalCache', () => {
  it('remembers what a lookup found until the key is evicted', () => {
    const cache = new PrincipalCache(60, new ManualClock());
    cache.set('hash', principal, null, cache.mark());
    expect(cache.get('hash')).toBe(principal);
    cache.evictKey('k');
    expect(cache.get('hash')).toBeUndefined();
  });

  // A key that is revoked while somebody uses it would live on for the cache's whole lifetime.
  it('does not remember what a lookup found that was overtaken by an eviction', () => {
    const cache = new PrincipalCache(60, new ManualClock());
    const mark = cache.mark();
    cache.evictKey('k');
    cache.set('hash', principal, null, mark);
    expect(cache.get('hash')).toBeUndefined();
    cache.set('hash', principal, null, cache.mark());
    expect(cache.get('hash')).toBe(principal);
  });
});
