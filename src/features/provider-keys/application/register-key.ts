import { Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { ProviderKey } from '../domain/provider-key.js';
import { ProviderKeysRepository, type Attestation } from '../persistence/provider-keys.repository.js';
import { Attestations } from './attestations.js';
import { KeyLedger } from './key-ledger.js';
import { Providers } from './providers.js';

export interface KeyRequest extends Pick<ProviderKey, 'alias' | 'rotationDueAt' | 'keyRef' | 'keyRefProvider'> {
  readonly attestation: Attestation;
}

@Injectable()
export class RegisterKey {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly providers: Providers,
    private readonly keys: ProviderKeysRepository,
    private readonly attestations: Attestations,
    private readonly ledger: KeyLedger,
    private readonly ids: Ids,
  ) {}

  /**
   * Registers a key with a provider, which is made when there is none. It is active, unless attestations have to be
   * verified and the provider has nobody who signs them.
   *
   * @throws ATTESTATION_SIGNATURE_INVALID
   */
  async register(providerId: string, { attestation, ...request }: KeyRequest): Promise<ProviderKey> {
    const id = this.ids.uuid();
    return this.uow.run(async () => {
      const { signers } = await this.providers.ensure(providerId);
      const { verifiedAt } = this.attestations.judge(attestation, signers);
      const state = verifiedAt === null ? 'pending_registration' : 'active';
      const key = await this.keys.insert(
        { ...request, id, providerId, state, activatedAt: verifiedAt },
        attestation,
        verifiedAt,
      );
      const { alias, rotationDueAt, version } = key;
      await this.ledger.append({
        type: 'registered',
        providerId,
        keyId: id,
        version,
        payload: { state, alias, rotation_due_at: rotationDueAt },
      });
      return key;
    });
  }
}
