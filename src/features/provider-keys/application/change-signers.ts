import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { isSigned, type Signers } from '../domain/attestation.js';
import { ProviderKeysRepository } from '../persistence/provider-keys.repository.js';
import { ProvidersRepository } from '../persistence/providers.repository.js';
import { KeyLedger } from './key-ledger.js';
import { noSuchProvider, requireSigners } from './providers.js';

/** Keys that one change of signers activates; the next change takes those that are left. */
const AT_ONCE = 100;

/** Who signs the attestations of a provider. */
@Injectable()
export class ChangeSigners {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly providers: ProvidersRepository,
    private readonly keys: ProviderKeysRepository,
    private readonly ledger: KeyLedger,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /**
   * Keys that waited for a signer are active if one of the new ones signed them. Others stay as they are.
   *
   * @throws NOT_FOUND; VALIDATION_ERROR for signers that are none.
   */
  async change(providerId: string, jwks: unknown): Promise<void> {
    const signers = requireSigners(jwks);
    await this.uow.run(async () => {
      const provider = await this.providers.lock(providerId);
      if (provider === undefined) throw noSuchProvider();
      await this.providers.setSigners(providerId, signers);
      const activated = await this.#activate(providerId, signers);
      await this.audit.record({
        event: 'provider.updated',
        outcome: 'success',
        resourceType: 'provider',
        resourceId: providerId,
        metadata: {
          provider_id: providerId,
          signers: signers.keys.length,
          previous_signers: provider.signers?.keys.length ?? 0,
          activated_keys: activated,
        },
      });
    });
  }

  async #activate(providerId: string, signers: Signers): Promise<number> {
    const waiting = await this.keys.waiting(providerId, AT_ONCE);
    const signed = waiting.filter(({ digest, signature }) => isSigned(digest, signature, signers));
    const now = this.clock.now();
    for (const { id: keyId } of signed) {
      const change = { state: 'active', activatedAt: now, attestationVerifiedAt: now } as const;
      const { version } = await this.keys.change(keyId, change);
      await this.ledger.append({
        type: 'activation_approved',
        providerId,
        keyId,
        version,
        payload: { previous_state: 'pending_registration', state: 'active' },
      });
    }
    return signed.length;
  }
}
