import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { tryContext } from '../../../kernel/context.js';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import type { Role } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { daysBefore, isExpired, newApiKey, type ApiKeyRecord } from '../domain/api-key.js';
import { ApiKeysRepository, type KeyList } from '../persistence/api-keys.repository.js';
import { KeyEvictions } from './key-evictions.js';

export interface CreateKey {
  readonly role: Role;
  readonly name?: string;
  /** An existing user of the tenant takes the role; unset, the key gets a user of its own. */
  readonly userId?: string;
  readonly email?: string;
  readonly expiresInDays?: number;
}

export interface RotateKey {
  /** Unset, that of the old key. */
  readonly name?: string;
  readonly keepOld?: boolean;
  /** The old key stays valid so long, if it does not expire before. */
  readonly overlapHours?: number;
}

export interface ListKeys extends Omit<KeyList, 'stale'> {
  /** Only keys without use for so many days, and expired ones. */
  readonly staleDays?: number;
}

export interface CreatedKey {
  readonly id: string;
  readonly userId: string;
  /** The only time that the secret can be read. */
  readonly token: string;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * Life of API keys, in the tenant of the context, without the rules that bind a tenant's own admins. Every change is
 * audited with it, or does not happen.
 */
@Injectable()
export class ApiKeys {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ApiKeysRepository,
    private readonly audit: AuditTrail,
    private readonly evictions: KeyEvictions,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async create(request: CreateKey): Promise<CreatedKey> {
    return this.uow.run(async () => {
      const key = await this.make(request);
      await this.audit.record({
        event: 'auth.api_key.created',
        outcome: 'success',
        resourceType: 'api_key',
        resourceId: key.id,
        metadata: {
          user_id: key.userId,
          key_prefix: key.prefix,
          key_name: request.name ?? null,
          role: request.role,
          expires_in_days: request.expiresInDays ?? null,
        },
      });
      return { id: key.id, userId: key.userId, token: key.token };
    });
  }

  /** Writes a key with its user in the current transaction; its caller records it. */
  async make(request: CreateKey): Promise<CreatedKey & { readonly prefix: string }> {
    const { id, token, prefix, hash } = newApiKey(this.ids);
    const userId = request.userId ?? this.ids.uuid();
    const expiresAt =
      request.expiresInDays === undefined
        ? null
        : new Date(this.clock.now().getTime() + request.expiresInDays * DAY_MS);
    const email = request.email === undefined ? {} : { email: request.email };
    await this.keys.upsertUser({ id: userId, role: request.role, ...email });
    if (request.userId !== undefined) {
      for (const keyId of await this.keys.idsOfUser(userId)) this.evictions.evict(keyId);
    }
    await this.keys.insert({ id, prefix, hash, userId, name: request.name ?? null, expiresAt, createdBy: actor() });
    return { id, userId, token, prefix };
  }

  /** Newest first. @throws INVALID_CURSOR */
  async list({ staleDays, ...page }: ListKeys): Promise<Page<ApiKeyRecord>> {
    const now = this.clock.now();
    const stale = staleDays === undefined ? {} : { stale: { since: daysBefore(now, staleDays), now } };
    return this.uow.read(() => this.keys.list({ ...page, ...stale }));
  }

  /** Revokes for good; revoking twice is no error. @throws NOT_FOUND */
  async revoke(id: string, reason = 'revoked by an operator'): Promise<void> {
    await this.uow.run(async () => {
      await this.keys.get(id);
      if (!(await this.keys.revoke(id, this.clock.now(), reason))) return;
      this.evictions.evict(id);
      await this.audit.record({
        event: 'auth.api_key.revoked',
        outcome: 'success',
        resourceType: 'api_key',
        resourceId: id,
        metadata: { target_key_id: id, reason },
      });
    });
  }

  /**
   * Replaces a key by a new one of the same user and expiry, revoking the old one unless told to keep it, for good or
   * for some hours.
   *
   * @throws NOT_FOUND, or CONFLICT when the old key is revoked already, or expired.
   */
  async rotate(oldId: string, { name, keepOld = false, overlapHours = 0 }: RotateKey = {}): Promise<CreatedKey> {
    return this.uow.run(async () => {
      const now = this.clock.now();
      const old = await this.keys.getForChange(oldId);
      if (old.status === 'revoked') throw cannotRotate('revoked', 'A revoked key cannot be rotated. Create a new one.');
      if (isExpired(old, now)) throw cannotRotate('expired', 'An expired key cannot be rotated. Create a new one.');
      const key = newApiKey(this.ids);
      const { userId, expiresAt } = old;
      const newName = name ?? old.name;
      await this.keys.insert({ ...key, userId, name: newName, expiresAt, rotatedFromId: oldId, createdBy: actor() });
      const revoked = !keepOld && overlapHours === 0;
      const ends = keepOld ? expiresAt : earlier(expiresAt, new Date(now.getTime() + overlapHours * HOUR_MS));
      if (revoked) await this.keys.revoke(oldId, now, `rotated to ${key.id}`);
      else if (!keepOld) await this.keys.update(oldId, { ...old, expiresAt: ends }, now);
      this.evictions.evict(oldId);
      await this.audit.record({
        event: 'auth.api_key.rotated',
        outcome: 'success',
        resourceType: 'api_key',
        resourceId: oldId,
        metadata: {
          rotated_from: oldId,
          new_key_id: key.id,
          old_key_revoked: revoked,
          old_key_expires_at: revoked ? null : ends,
          name: newName,
          user_id: userId,
        },
      });
      return { id: key.id, userId, token: key.token };
    });
  }

  /** The tenant that a key belongs to; undefined when there is no such key. */
  async tenantOf(id: string): Promise<string | undefined> {
    return this.keys.tenantOf(id);
  }
}

function cannotRotate(reason: string, message: string): Error {
  return commonErrors.CONFLICT({ message, details: { reason } });
}

function earlier(a: Date | null, b: Date): Date {
  return a !== null && a < b ? a : b;
}

function actor(): string {
  return tryContext()?.principal?.apiKeyId ?? 'system';
}
