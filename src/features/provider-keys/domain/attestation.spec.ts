import { describe, expect, it } from '@jest/globals';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { attestationFault, isSigned, signersOf, type Signers } from './attestation.js';

const DIGEST = createHash('sha256').update('an attestation').digest();
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });

const setOf = (...keys: KeyObject[]): Signers => signersOf({ keys: keys.map((key) => key.export({ format: 'jwk' })) })!;

describe('an attestation', () => {
  it.each<[string, string, string, string | undefined]>([
    ['is in order', base64(DIGEST), base64(DIGEST), undefined],
    ['has no digest', '', base64(DIGEST), 'missing'],
    ['has a blank signature', base64(DIGEST), '  ', 'missing'],
    ['is not base64', '%%%', base64(DIGEST), 'encoding'],
    ['has a signature that is not base64', base64(DIGEST), '%%%', 'encoding'],
    ['has a short digest', base64(DIGEST.subarray(1)), base64(DIGEST), 'encoding'],
    ['has a long digest', base64(Buffer.alloc(33)), base64(DIGEST), 'encoding'],
    ['is base64url', DIGEST.toString('base64url'), base64(DIGEST), 'encoding'],
    ['has stray bits at the end', base64(DIGEST).replace(/.=$/, 'B='), base64(DIGEST), 'encoding'],
    ['has a line break', `${base64(DIGEST)}\n`, base64(DIGEST), 'encoding'],
    ['has the largest signature', base64(DIGEST), base64(Buffer.alloc(64 * 1024)), undefined],
    ['is 1 MB', base64(DIGEST), 'A'.repeat(1024 * 1024), 'encoding'],
  ])('that %s', (_name, digest, signature, fault) => {
    expect(attestationFault(digest, signature)).toBe(fault);
  });
});

describe('signers', () => {
  const jwk = ed25519.publicKey.export({ format: 'jwk' });

  it('are public keys of two kinds', () => {
    expect(setOf(ed25519.publicKey, p256.publicKey).keys).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', [jwk]],
    ['none', { keys: [] }],
    ['eleven', { keys: Array.from({ length: 11 }, () => jwk) }],
    ['a private key', { keys: [ed25519.privateKey.export({ format: 'jwk' })] }],
    ['another curve', { keys: [p384.publicKey.export({ format: 'jwk' })] }],
    ['a point off the curve', { keys: [{ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }] }],
    ['a key of another use', { keys: [{ ...jwk, use: 'enc' }] }],
  ])('are not %s', (_name, input) => {
    expect(signersOf(input)).toBeUndefined();
  });
});

describe('a signature', () => {
  const es256 = { key: p256.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  const byEd25519 = base64(sign(null, DIGEST, ed25519.privateKey));
  const byP256 = base64(sign('sha256', DIGEST, es256));

  it('of any signer counts', () => {
    const both = setOf(p256.publicKey, ed25519.publicKey);
    expect([byEd25519, byP256].map((signature) => isSigned(base64(DIGEST), signature, both))).toEqual([true, true]);
  });

  it('of somebody else, of another digest, or of another form does not', () => {
    const other = generateKeyPairSync('ed25519');
    const signers = setOf(ed25519.publicKey, p256.publicKey);
    const forged = [
      base64(sign(null, DIGEST, other.privateKey)),
      base64(sign(null, createHash('sha256').update('x').digest(), ed25519.privateKey)),
      base64(sign('sha256', DIGEST, p256.privateKey)),
      base64(DIGEST),
    ];
    expect(forged.map((signature) => isSigned(base64(DIGEST), signature, signers))).toEqual(forged.map(() => false));
  });
});
