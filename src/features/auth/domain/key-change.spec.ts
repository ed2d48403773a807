import { describe, expect, it } from '@jest/globals';
import type { ApiKeyRecord, KeyStatus } from './api-key.js';
import { changed, withdrawsAdmin, type KeyChange } from './key-change.js';

const now = new Date('2026-06-01T00:00:00Z');
const inDays = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
const key: ApiKeyRecord = {
  id: 'k',
  userId: 'u',
  prefix: 'nrgk_0123456',
  name: 'ci',
  role: 'admin',
  userActive: true,
  status: 'active',
  expiresAt: null,
  lastUsedAt: inDays(-1),
  revokedAt: null,
  createdAt: inDays(-10),
};

describe('changed', () => {
  it.each<[KeyStatus, KeyChange, KeyStatus]>([
    ['active', {}, 'active'],
    ['active', { active: false }, 'disabled'],
    ['active', { active: false, revoke: true }, 'revoked'],
    ['disabled', { active: false }, 'disabled'],
    ['disabled', { active: true }, 'active'],
    ['disabled', { revoke: true }, 'revoked'],
    ['disabled', { revoke: false }, 'disabled'],
    ['revoked', { active: false }, 'revoked'],
    ['revoked', { active: true }, 'active'],
  ])('%s, changed by %j, is %s', (status, change, expected) => {
    expect(changed({ ...key, status }, change, now).status).toBe(expected);
  });

  it('leaves what is absent, and starts the time without use anew only when reactivated', () => {
    expect(changed(key, {}, now)).toEqual(key);
    expect(changed(key, { active: true }, now).lastUsedAt).toEqual(now);
    expect(changed({ ...key, expiresAt: now }, { expiresAt: null, name: 'x' }, now)).toEqual({ ...key, name: 'x' });
  });
});

describe('withdrawsAdmin', () => {
  const expiring = { ...key, expiresAt: inDays(5) };
  it.each<[string, ApiKeyRecord, KeyChange, boolean]>([
    ['revoking', key, { revoke: true }, true],
    ['disabling', key, { active: false }, true],
    ['an expiry where there was none', key, { expiresAt: inDays(400) }, true],
    ['an earlier expiry', expiring, { expiresAt: inDays(4) }, true],
    ['a later expiry', expiring, { expiresAt: inDays(6) }, false],
    ['no expiry any more', expiring, { expiresAt: null }, false],
    ['another name', key, { name: 'x' }, false],
    ['revoking an editor', { ...key, role: 'editor' }, { revoke: true }, false],
    ['revoking what is expired', { ...key, expiresAt: now }, { revoke: true }, false],
    ['revoking what was unused for too long', { ...key, lastUsedAt: inDays(-91) }, { revoke: true }, false],
  ])('%s', (_name, before, change, expected) => {
    expect(withdrawsAdmin(before, changed(before, change, now), now, 90)).toBe(expected);
  });
});
