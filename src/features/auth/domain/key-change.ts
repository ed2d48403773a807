import { refusalOf, type ApiKeyRecord, type KeyState, type KeyStatus } from './api-key.js';

/** What is absent stays. */
export interface KeyChange {
  readonly name?: string;
  /** Null: never. */
  readonly expiresAt?: Date | null;
  /** False disables for the time being; true undoes that, and the time without use starts anew. */
  readonly active?: boolean;
  readonly revoke?: boolean;
}

/** The key as it is after the change. Revocation is for good: only the caller may have decided otherwise. */
export function changed(key: ApiKeyRecord, change: KeyChange, now: Date): ApiKeyRecord {
  return {
    ...key,
    name: change.name ?? key.name,
    expiresAt: change.expiresAt === undefined ? key.expiresAt : change.expiresAt,
    status: statusAfter(key.status, change),
    lastUsedAt: change.active === true ? now : key.lastUsedAt,
  };
}

function statusAfter(status: KeyStatus, { active, revoke }: KeyChange): KeyStatus {
  if (revoke === true) return 'revoked';
  if (active === true) return 'active';
  return active === false && status === 'active' ? 'disabled' : status;
}

/**
 * Whether an admin key that lets somebody in now stops doing so, or will sooner than before.
 *
 * @param maxIdleDays as in `refusalOf`.
 */
export function withdrawsAdmin(before: KeyState, after: KeyState, now: Date, maxIdleDays: number): boolean {
  if (before.role !== 'admin' || refusalOf(before, now, maxIdleDays) !== undefined) return false;
  return refusalOf(after, now, maxIdleDays) !== undefined || endOf(after) < endOf(before);
}

function endOf({ expiresAt }: KeyState): number {
  return expiresAt?.getTime() ?? Infinity;
}
