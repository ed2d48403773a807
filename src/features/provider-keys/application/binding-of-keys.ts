import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { isUsable } from '../domain/key-state.js';
import type { KeyBinding } from '../domain/provider-key.js';
import { BindingsRepository, type NewBinding } from '../persistence/bindings.repository.js';
import { ProviderKeysRepository } from '../persistence/provider-keys.repository.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { KeyLedger } from './key-ledger.js';
import { noSuchKey } from './provider-keys.js';

/** What keys are used for. */
@Injectable()
export class BindingOfKeys {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ProviderKeysRepository,
    private readonly bindings: BindingsRepository,
    private readonly ledger: KeyLedger,
    private readonly ids: Ids,
    private readonly clock: Clock,
  ) {}

  /** Newest first, revoked ones included. @throws NOT_FOUND, INVALID_CURSOR */
  async list(providerId: string, keyId: string, limit: number, cursor?: string): Promise<Page<KeyBinding>> {
    return this.uow.read(async () => {
      if ((await this.keys.find(providerId, keyId)) === undefined) throw noSuchKey();
      return this.bindings.list(keyId, limit, cursor);
    });
  }

  /** @throws NOT_FOUND, PROVIDER_KEY_NOT_USABLE, BINDING_ALREADY_EXISTS */
  async bind(providerId: string, keyId: string, target: Omit<NewBinding, 'id' | 'keyId'>): Promise<KeyBinding> {
    const id = this.ids.uuid();
    return this.uow.run(async () => {
      const key = await this.keys.lock(providerId, keyId);
      if (key === undefined) throw noSuchKey();
      if (!isUsable(key.state)) throw providerKeysErrors.PROVIDER_KEY_NOT_USABLE();
      const binding = await this.bindings.insert({ ...target, id, keyId });
      await this.ledger.append({
        type: 'binding_attached',
        providerId,
        keyId,
        version: key.version,
        payload: { binding_id: id, binding_type: binding.type, binding_target_id: binding.targetId },
        audit: { binding_id: id, binding_type: binding.type },
      });
      return binding;
    });
  }

  /** @throws NOT_FOUND, BINDING_ALREADY_REVOKED */
  async revoke(providerId: string, keyId: string, bindingId: string, reason: string | null): Promise<KeyBinding> {
    return this.uow.run(async () => {
      const key = await this.keys.lock(providerId, keyId);
      if (key === undefined) throw noSuchKey();
      const revoked = await this.bindings.revoke(keyId, bindingId, reason, this.clock.now());
      if (revoked === undefined) {
        const found = await this.bindings.find(keyId, bindingId);
        throw found === undefined
          ? commonErrors.NOT_FOUND({ message: 'No such binding.' })
          : providerKeysErrors.BINDING_ALREADY_REVOKED();
      }
      await this.ledger.append({
        type: 'binding_revoked',
        providerId,
        keyId,
        version: key.version,
        payload: { binding_id: bindingId, reason },
        audit: { binding_id: bindingId, binding_type: revoked.type },
      });
      return revoked;
    });
  }
}
