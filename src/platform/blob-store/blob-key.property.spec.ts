import { resolve, sep } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assertBlobKey } from './blob-key.js';

function accepted(key: string): boolean {
  try {
    assertBlobKey(key);
    return true;
  } catch {
    return false;
  }
}

const segment = fc.constantFrom('', '.', '..', '...', 'a', 'b', '-', '_', '~', 'a\0', '%2e', '\\');
const hostileKey = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('/'));

describe('blob keys', () => {
  // An accepted key that resolves outside its folder lets a client's document id read or overwrite any file.
  it('never lead out of the folder, and never name a blob in two ways', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(hostileKey, fc.string()), (key) => {
        if (!accepted(key)) return;
        taken += 1;
        expect(resolve('/root/documents', key)).toBe(['/root/documents', ...key.split('/')].join(sep));
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(0);
  });
});
