import { describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../../kernel/hash.js';
import { SystemIds } from '../../../kernel/ids.js';
import { inactiveDays, isActive, keyIdOf, newApiKey, refusalOf, type StoredKey } from './api-key.js';

describe('newApiKey', () => {
  it('makes a token of the documented form and keeps only its hash', () => {
    const key = newApiKey(new SystemIds());
    expect(key.token).toMatch(/^nrgk_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/);
    expect(key.prefix).toBe(key.token.slice(0, 12));
    expect(key.hash).toBe(sha256Hex(key.token));
    expect(keyIdOf(key.token)).toBe(key.id);
  });

  it.each(['', 'x', 'nrgk_', 'nrgss_abc', 'nrgk_XYZ_secret'])('%p names no key', (token) => {
    expect(keyIdOf(token)).toBeUndefined();
  });
});

const now = new Date('2026-06-01T00:00:00Z');
const daysAgo = (days: number): Date => new Date(now.getTime() - days * 86_400_000);
const key: StoredKey = {
  id: 'k',
  tenantId: 't',
  userId: 'u',
  role: 'reader',
  userActive: true,
  status: 'active',
  expiresAt: null,
  lastUsedAt: null,
  createdAt: daysAgo(1),
};

describe('isActive', () => {
  it.each<[string, Partial<StoredKey>, boolean]>([
    ['a fresh key', {}, true],
    ['a key that was unused for years', { createdAt: daysAgo(4000) }, true],
    ['a key that expires this instant', { expiresAt: now }, false],
    ['a disabled key', { status: 'disabled' }, false],
    ['a revoked key', { status: 'revoked' }, false],
    ['a key of an inactive user', { userActive: false }, false],
  ])('%s', (_name, change, expected) => {
    expect(isActive({ ...key, ...change }, now)).toBe(expected);
  });
});

describe('inactiveDays', () => {
  it('counts whole days from the last use, or from the creation', () => {
    expect(inactiveDays({ ...key, createdAt: daysAgo(28.5) }, now)).toBe(28);
    expect(inactiveDays({ ...key, createdAt: daysAgo(28.5), lastUsedAt: daysAgo(0.9) }, now)).toBe(0);
  });
});

describe('refusalOf', () => {
  it.each<[string, Partial<StoredKey>, string | undefined]>([
    ['a fresh key', {}, undefined],
    ['a revoked key', { status: 'revoked' }, 'AUTH_REVOKED_KEY'],
    ['a disabled key', { status: 'disabled' }, 'AUTH_REVOKED_KEY'],
    ['a key of an inactive user', { userActive: false }, 'AUTH_UNAUTHORIZED'],
    ['an expired key', { expiresAt: daysAgo(1) }, 'AUTH_EXPIRED_KEY'],
    ['a key that expires this instant', { expiresAt: now }, 'AUTH_EXPIRED_KEY'],
    ['a key both revoked and expired', { status: 'revoked', expiresAt: daysAgo(1) }, 'AUTH_REVOKED_KEY'],
    ['a key used too long ago', { createdAt: daysAgo(400), lastUsedAt: daysAgo(120) }, 'AUTH_INACTIVE_KEY'],
    ['a never used key from too long ago', { createdAt: daysAgo(91) }, 'AUTH_INACTIVE_KEY'],
    ['an old key used recently', { createdAt: daysAgo(400), lastUsedAt: daysAgo(2) }, undefined],
  ])('%s', (_name, change, expected) => {
    expect(refusalOf({ ...key, ...change }, now, 90)).toBe(expected);
  });

  it('never refuses for inactivity when the limit is 0', () => {
    expect(refusalOf({ ...key, createdAt: daysAgo(4000) }, now, 0)).toBeUndefined();
  });
});
