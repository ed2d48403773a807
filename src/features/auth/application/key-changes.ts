import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { isAppError } from '../../../kernel/errors.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { authErrors } from '../auth.errors.js';
import { authSettings, type AuthSettings } from '../auth.settings.js';
import { daysBefore, isActive, type ApiKeyRecord } from '../domain/api-key.js';
import { changed, withdrawsAdmin, type KeyChange } from '../domain/key-change.js';
import { ApiKeysRepository } from '../persistence/api-keys.repository.js';
import { KeyEvictions } from './key-evictions.js';

const EVER = new Date(0);

/**
 * The rules under which the admins of a tenant change its keys: no more active keys than allowed, never without an
 * admin key that lets somebody in, and revoked is revoked. Changes of one tenant follow one another, so that two that
 * are each allowed cannot break a rule together.
 */
@Injectable()
export class KeyChanges {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ApiKeysRepository,
    private readonly evictions: KeyEvictions,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    @Inject(authSettings.token) private readonly settings: AuthSettings,
  ) {}

  /** Runs a change in its turn. What a rule refuses is recorded as the failure of `attempt`; nothing else remains. */
  async inTurn<T>(attempt: Omit<AuditEntry, 'outcome'>, change: () => Promise<T>): Promise<T> {
    try {
      return await this.uow.run(async () => {
        await this.keys.awaitTurn();
        return change();
      });
    } catch (error) {
      if (isAppError(error) && error.status === 409) {
        const metadata = { ...attempt.metadata, reason: 'limit_reached', ...error.details };
        const failure: AuditEntry = { ...attempt, outcome: 'failure', errorCode: error.code, metadata };
        await this.uow.run(() => this.audit.record(failure));
      }
      throw error;
    }
  }

  /** @throws KEY_LIMIT_REACHED when one more active key would be too many. */
  async requireSlot(): Promise<void> {
    const max = this.settings.maxActiveKeys;
    if ((await this.keys.countActive(this.clock.now())) < max) return;
    throw authErrors.KEY_LIMIT_REACHED({ details: { max_active: max } });
  }

  /**
   * Makes the change within a turn; every process forgets the key.
   *
   * @returns the key as it is now. @throws NOT_FOUND, KEY_LIMIT_REACHED, CONFLICT.
   */
  async apply(id: string, change: KeyChange): Promise<ApiKeyRecord> {
    const now = this.clock.now();
    const before = await this.keys.getForChange(id);
    if (before.status === 'revoked' && change.active === true && !this.settings.allowUnrevoke) {
      throw conflict('revoked', 'A revoked key cannot be reactivated. Create a new one.');
    }
    const after = changed(before, change, now);
    if (!isActive(before, now) && isActive(after, now)) await this.requireSlot();
    await this.#keepAdmin(before, after, now);
    await this.keys.update(id, after, now);
    this.evictions.evict(id);
    return this.keys.get(id);
  }

  async #keepAdmin(before: ApiKeyRecord, after: ApiKeyRecord, now: Date): Promise<void> {
    const maxIdleDays = this.settings.inactiveEnforced ? this.settings.inactiveDays : 0;
    if (!withdrawsAdmin(before, after, now, maxIdleDays)) return;
    const usedAfter = maxIdleDays === 0 ? EVER : daysBefore(now, maxIdleDays);
    if (await this.keys.hasOtherAdmin(before.id, now, usedAfter)) return;
    throw conflict('last_admin_key', 'This is the last admin key of the tenant. Create another one first.');
  }
}

function conflict(reason: string, message: string): Error {
  return commonErrors.CONFLICT({ message, details: { reason } });
}
