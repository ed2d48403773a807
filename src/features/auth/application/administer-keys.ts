import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { tryContext } from '../../../kernel/context.js';
import { roleAtLeast, type Role } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { authErrors } from '../auth.errors.js';
import { isActive, type ApiKeyRecord } from '../domain/api-key.js';
import type { KeyChange } from '../domain/key-change.js';
import { ApiKeysRepository } from '../persistence/api-keys.repository.js';
import { ApiKeys, type RotateKey } from './api-keys.js';
import { KeyChanges } from './key-changes.js';

/** A key that was just made, and the only time that its secret can be read. */
export interface IssuedKey {
  readonly key: ApiKeyRecord;
  readonly token: string;
}

/** What the admins of a tenant do with its keys. */
@Injectable()
export class AdministerKeys {
  constructor(
    private readonly changes: KeyChanges,
    private readonly apiKeys: ApiKeys,
    private readonly keys: ApiKeysRepository,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** The key gets a user of its own. @throws KEY_LIMIT_REACHED; AUTH_FORBIDDEN for a role above the creator's. */
  async create(request: { name?: string; role: Role; expiresInDays?: number }): Promise<IssuedKey> {
    const creator = tryContext()?.principal;
    if (creator !== undefined && !roleAtLeast(creator.role, request.role)) {
      throw authErrors.AUTH_FORBIDDEN({ message: 'A key cannot have a higher role than its creator.' });
    }
    const attempt = {
      event: 'selfserve.api_key.created',
      resourceType: 'api_key',
      metadata: { name: request.name ?? null, role: request.role },
    };
    return this.changes.inTurn(attempt, async () => {
      await this.changes.requireSlot();
      const { id, token } = await this.apiKeys.make(request);
      const metadata = { ...attempt.metadata, key_id: id };
      await this.audit.record({ ...attempt, outcome: 'success', resourceId: id, metadata });
      return { key: await this.keys.get(id), token };
    });
  }

  /**
   * @throws NOT_FOUND, VALIDATION_ERROR; KEY_LIMIT_REACHED for a reactivation too many; CONFLICT for that of a revoked
   * key, and for what would leave the tenant without an admin key.
   */
  async update(id: string, change: KeyChange): Promise<ApiKeyRecord> {
    if (change.active === true && change.revoke === true) {
      throw commonErrors.VALIDATION_ERROR({ message: 'Send either active: true or revoke: true.' });
    }
    if (change.expiresAt != null && change.expiresAt <= this.clock.now()) {
      throw commonErrors.VALIDATION_ERROR({
        message: 'expires_at must lie in the future. Use revoke to end a key now.',
      });
    }
    const attempt = {
      event: eventOf(change),
      resourceType: 'api_key',
      resourceId: id,
      metadata: { target_key_id: id },
    };
    return this.changes.inTurn(attempt, async () => {
      const key = await this.changes.apply(id, change);
      const { name, expiresAt, revokedAt, lastUsedAt } = key;
      const instants = { expires_at: expiresAt, revoked_at: revokedAt, last_used_at: lastUsedAt };
      await this.audit.record({ ...attempt, outcome: 'success', metadata: { ...attempt.metadata, name, ...instants } });
      return key;
    });
  }

  /** Revokes for good; a key that is revoked already stays as it is. @throws NOT_FOUND, CONFLICT for the last admin key. */
  async revoke(id: string): Promise<ApiKeyRecord> {
    const attempt = {
      event: 'selfserve.api_key.revoked',
      resourceType: 'api_key',
      resourceId: id,
      metadata: { key_id: id },
    };
    return this.changes.inTurn(attempt, async () => {
      const before = await this.keys.getForChange(id);
      if (before.status === 'revoked') return before;
      const key = await this.changes.apply(id, { revoke: true });
      await this.audit.record({ ...attempt, outcome: 'success' });
      return key;
    });
  }

  /** @throws NOT_FOUND; CONFLICT for a key that ended; KEY_LIMIT_REACHED where the new key adds to the active ones. */
  async rotate(id: string, options: Omit<RotateKey, 'keepOld'>): Promise<IssuedKey> {
    const attempt = {
      event: 'auth.api_key.rotated',
      resourceType: 'api_key',
      resourceId: id,
      metadata: { rotated_from: id },
    };
    return this.changes.inTurn(attempt, async () => {
      const old = await this.keys.get(id);
      const replaces = isActive(old, this.clock.now()) && (options.overlapHours ?? 0) === 0;
      if (!replaces) await this.changes.requireSlot();
      const made = await this.apiKeys.rotate(id, options);
      return { key: await this.keys.get(made.id), token: made.token };
    });
  }
}

function eventOf({ active, revoke }: KeyChange): string {
  if (revoke === true) return 'auth.api_key.revoked';
  if (active === undefined) return 'auth.api_key.updated';
  return active ? 'auth.api_key.reactivated' : 'auth.api_key.deactivated';
}
