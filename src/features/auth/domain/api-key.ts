import { sha256Hex } from '../../../kernel/hash.js';
import type { Ids } from '../../../kernel/ids.js';

const TOKEN = /^nrgk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;
const PREFIX_LENGTH = 12;

export interface NewApiKey {
  readonly id: string;
  /** `nrgk_<id>_<secret>`; shown once and never stored. */
  readonly token: string;
  readonly prefix: string;
  readonly hash: string;
}

export function newApiKey(ids: Ids): NewApiKey {
  const id = ids.opaque().replaceAll('-', '');
  const token = `nrgk_${id}_${ids.secret(32)}`;
  return { id, token, prefix: token.slice(0, PREFIX_LENGTH), hash: sha256Hex(token) };
}

/** The id inside a well-formed token; undefined for anything else, which no key can match. */
export function keyIdOf(token: string): string | undefined {
  return TOKEN.exec(token)?.[1];
}

export type KeyStatus = 'active' | 'disabled' | 'revoked';

/** What decides whether a key is let in. */
export interface KeyState {
  readonly role: string;
  readonly userActive: boolean;
  readonly status: KeyStatus;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
}

/** A stored key with its user, as authentication reads it. */
export interface StoredKey extends KeyState {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
}

/** A key as its owner may see it. */
export interface ApiKeyRecord extends KeyState {
  readonly id: string;
  readonly userId: string;
  readonly prefix: string;
  readonly name: string | null;
  /** Also of a disabled key, which is as good as revoked to whoever holds it. */
  readonly revokedAt: Date | null;
}

export type KeyRefusal = 'AUTH_REVOKED_KEY' | 'AUTH_UNAUTHORIZED' | 'AUTH_EXPIRED_KEY' | 'AUTH_INACTIVE_KEY';

const DAY_MS = 86_400_000;

export function daysBefore(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY_MS);
}

/** When the time without use began. */
function idleSince({ lastUsedAt, createdAt }: KeyState): Date {
  return lastUsedAt ?? createdAt;
}

/** Whole days without use. */
export function inactiveDays(key: KeyState, now: Date): number {
  return Math.floor((now.getTime() - idleSince(key).getTime()) / DAY_MS);
}

export function isExpired({ expiresAt }: Pick<KeyState, 'expiresAt'>, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** Counts towards the tenant's limit. A key that was unused for too long does: an admin can reactivate it. */
export function isActive(key: KeyState, now: Date): boolean {
  return key.userActive && key.status === 'active' && !isExpired(key, now);
}

/**
 * Why a key must not be let in; undefined when it may. The first reason wins: revoked or disabled, user inactive,
 * expired, unused for `maxIdleDays` (0 never).
 */
export function refusalOf(key: KeyState, now: Date, maxIdleDays: number): KeyRefusal | undefined {
  if (key.status !== 'active') return 'AUTH_REVOKED_KEY';
  if (!key.userActive) return 'AUTH_UNAUTHORIZED';
  if (isExpired(key, now)) return 'AUTH_EXPIRED_KEY';
  if (maxIdleDays > 0 && idleSince(key) <= daysBefore(now, maxIdleDays)) return 'AUTH_INACTIVE_KEY';
  return undefined;
}
