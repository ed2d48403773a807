import { describe, expect, it } from '@jest/globals';
import { Bulkhead } from './bulkhead.js';

describe('Bulkhead', () => {
  it('turns away who finds no slot and lets the next one in after a release', () => {
    const bulkhead = new Bulkhead(2);
    const first = bulkhead.acquire();
    expect(bulkhead.acquire()).toBeDefined();
    expect(bulkhead.acquire()).toBeUndefined();
    expect(bulkhead.free).toBe(0);
    first?.();
    expect(bulkhead.free).toBe(1);
    expect(bulkhead.acquire()).toBeDefined();
    expect(bulkhead.acquire()).toBeUndefined();
  });

  // A handler that releases in `finally` and on abort would otherwise free the slot of somebody else's request.
  it('frees a slot once, however often it is released', () => {
    const bulkhead = new Bulkhead(2);
    const first = bulkhead.acquire();
    bulkhead.acquire();
    first?.();
    first?.();
    expect(bulkhead.free).toBe(1);
  });
});
