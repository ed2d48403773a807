import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CannotUnseal, PeerKeys, RegionKeys } from './region-keys.js';

const secret = (): string => randomBytes(32).toString('base64');
const [eu, us] = [new RegionKeys(secret()), new RegionKeys(secret())];
const toUs = new PeerKeys(us.publicText);
const TEXT = Buffer.from('Forty ships lie at anchor.');

describe('what is sealed for a region', () => {
  const sealed = toUs.seal(TEXT, 'export 1, frame 2');

  it('is opened by it, also when it is empty, and shows nothing', () => {
    expect(us.unseal(sealed, 'export 1, frame 2')).toEqual(TEXT);
    expect(us.unseal(toUs.seal(Buffer.alloc(0), 'x'), 'x')).toHaveLength(0);
    expect(sealed.includes('ships')).toBe(false);
  });

  // A frame that is sealed again after an interruption must not be under the key of the first one.
  it('never looks the same twice', () => {
    expect(toUs.seal(TEXT, 'x').subarray(32).equals(toUs.seal(TEXT, 'x').subarray(32))).toBe(false);
  });

  it('is opened by no other region, and at no other place', () => {
    expect(() => eu.unseal(sealed, 'export 1, frame 2')).toThrow(CannotUnseal);
    expect(() => us.unseal(sealed, 'export 1, frame 3')).toThrow(CannotUnseal);
  });

  it('is not opened when any byte was changed or the end is missing', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      // The highest bit of an X25519 key says nothing, but the key that was sent is part of what the key is made from.
      expect(() => us.unseal(changed, 'export 1, frame 2')).toThrow(CannotUnseal);
      expect(() => us.unseal(sealed.subarray(0, at), 'export 1, frame 2')).toThrow(CannotUnseal);
    }
  });

  it('is refused when it was made with a key that leads to no secret', () => {
    expect(() => us.unseal(Buffer.alloc(64), 'x')).toThrow(CannotUnseal);
  });
});

describe('a signature', () => {
  it('holds for the text and the region alone', () => {
    const signature = eu.sign('all is well');
    const ofEu = new PeerKeys(eu.publicText);
    expect(ofEu.verify('all is well', signature)).toBe(true);
    expect(ofEu.verify('all is lost', signature)).toBe(false);
    expect(toUs.verify('all is well', signature)).toBe(false);
    expect(ofEu.verify('all is well', 'AAAA')).toBe(false);
  });
});

describe('the keys of a region', () => {
  it('follow from its secret', () => {
    const known = Buffer.alloc(32, 7).toString('base64');
    expect(new RegionKeys(known).publicText).toBe(new RegionKeys(known).publicText);
    expect(new RegionKeys(known).publicText).not.toBe(eu.publicText);
  });

  it.each(['', 'c2hvcnQ=', randomBytes(33).toString('base64')])('are not made from %j', (text) => {
    expect(() => new RegionKeys(text)).toThrow(/32 bytes/);
    expect(() => new PeerKeys(text)).toThrow(/64 bytes/);
  });
});
