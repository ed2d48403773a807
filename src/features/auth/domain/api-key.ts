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

/** A stored key with its user, as far as admission depends on them. */
export interface StoredKey {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly role: string;
  readonly userActive: boolean;
  readonly status: 'active' | 'disabled' | 'revoked';
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
}

export type KeyRefusal = 'AUTH_REVOKED_KEY' | 'AUTH_UNAUTHORIZED' | 'AUTH_EXPIRED_KEY' | 'AUTH_INACTIVE_KEY';

const DAY_MS = 86_400_000;

/**
 * Why a key must not be let in; undefined when it may. The first reason wins: revoked or disabled, user inactive,
 * expired, unused for `inactiveDays` (0 never).
 */
export function refusalOf(key: StoredKey, now: Date, inactiveDays: number): KeyRefusal | undefined {
  if (key.status !== 'active') return 'AUTH_REVOKED_KEY';
  if (!key.userActive) return 'AUTH_UNAUTHORIZED';
  if (key.expiresAt !== null && key.expiresAt <= now) return 'AUTH_EXPIRED_KEY';
  const anchor = key.lastUsedAt ?? key.createdAt;
  if (inactiveDays > 0 && anchor.getTime() <= now.getTime() - inactiveDays * DAY_MS) return 'AUTH_INACTIVE_KEY';
  return undefined;
}
