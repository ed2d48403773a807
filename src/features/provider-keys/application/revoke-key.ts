import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { nextState } from '../domain/key-state.js';
import type { ProviderKey } from '../domain/provider-key.js';
import { BindingsRepository } from '../persistence/bindings.repository.js';
import { ProviderKeysRepository } from '../persistence/provider-keys.repository.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { actor } from './actor.js';
import { KeyChanges } from './key-changes.js';
import { KeyLedger } from './key-ledger.js';
import { noSuchKey } from './provider-keys.js';

export interface Revocation {
  readonly reason: string | null;
  readonly compromised: boolean;
  readonly expectedVersion: number | undefined;
}

@Injectable()
export class RevokeKey {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ProviderKeysRepository,
    private readonly bindings: BindingsRepository,
    private readonly ledger: KeyLedger,
    private readonly changes: KeyChanges,
    private readonly clock: Clock,
  ) {}

  /**
   * Ends a key for good, with the rotation that it waits for. A compromised one takes its bindings with it; a retired
   * one keeps them, and lets nothing happen. One that was retired can still turn out to be compromised.
   *
   * @throws NOT_FOUND, PROVIDER_KEY_VERSION_CONFLICT, PROVIDER_KEY_ALREADY_REVOKED
   */
  async revoke(providerId: string, keyId: string, revocation: Revocation): Promise<ProviderKey> {
    const { reason, compromised, expectedVersion } = revocation;
    return this.uow.run(async () => {
      const key = await this.keys.lock(providerId, keyId);
      if (key === undefined) throw noSuchKey();
      if (expectedVersion !== undefined && expectedVersion !== key.version) {
        throw providerKeysErrors.PROVIDER_KEY_VERSION_CONFLICT();
      }
      const state = nextState(key.state, compromised ? 'compromise' : 'retire');
      if (state === undefined) throw providerKeysErrors.PROVIDER_KEY_ALREADY_REVOKED();
      const now = this.clock.now();
      const bindingIds = await this.bindings.idsOf(keyId);
      const revokedBindings = compromised ? await this.bindings.revokeAll(keyId, 'key compromised', now) : 0;
      await this.keys.endRotation(keyId, { status: 'failed', by: actor(), failureReason: 'key revoked' });
      const revoked = await this.keys.change(keyId, {
        state,
        retiredAt: now,
        ...(compromised ? { compromisedAt: now } : {}),
      });
      const named = { providerId, keyId, version: revoked.version };
      await this.ledger.append(
        {
          ...named,
          type: 'revocation_initiated',
          payload: { previous_state: key.state, reason, mark_compromised: compromised },
        },
        {
          ...named,
          type: 'revocation_completed',
          payload: { final_state: state, reason, revoked_bindings: revokedBindings },
        },
      );
      await this.changes.revoked({ keyId, compromised, bindingIds });
      return revoked;
    });
  }
}
