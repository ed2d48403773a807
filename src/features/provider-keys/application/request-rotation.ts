import { Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import type { AppError } from '../../../kernel/errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { KeyState } from '../domain/binding.js';
import { nextState } from '../domain/key-state.js';
import type { KeyRotation } from '../domain/provider-key.js';
import { ProviderKeysRepository, type Attestation } from '../persistence/provider-keys.repository.js';
import { ProvidersRepository } from '../persistence/providers.repository.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { actor } from './actor.js';
import { Attestations } from './attestations.js';
import { KeyLedger } from './key-ledger.js';
import { noSuchKey } from './provider-keys.js';

export interface RotationRequest {
  readonly attestation: Attestation;
  readonly actorRef: string;
  readonly expectedVersion: number | undefined;
}

@Injectable()
export class RequestRotation {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ProviderKeysRepository,
    private readonly providers: ProvidersRepository,
    private readonly attestations: Attestations,
    private readonly ledger: KeyLedger,
    private readonly ids: Ids,
  ) {}

  /**
   * Asks for the rotation of a key, which stays usable meanwhile. Another admin decides.
   *
   * @throws NOT_FOUND; PROVIDER_KEY_VERSION_CONFLICT; ROTATION_ALREADY_PENDING; PROVIDER_KEY_NOT_ACTIVE,
   * PROVIDER_KEY_RETIRED, PROVIDER_KEY_COMPROMISED; ATTESTATION_SIGNATURE_INVALID.
   */
  async request(providerId: string, keyId: string, request: RotationRequest): Promise<KeyRotation> {
    const { attestation, actorRef, expectedVersion } = request;
    const id = this.ids.uuid();
    return this.uow.run(async () => {
      const key = await this.keys.lock(providerId, keyId);
      if (key === undefined) throw noSuchKey();
      if (expectedVersion !== undefined && expectedVersion !== key.version) {
        throw providerKeysErrors.PROVIDER_KEY_VERSION_CONFLICT();
      }
      const state = nextState(key.state, 'request_rotation');
      if (state === undefined) throw refusal(key.state);
      const provider = await this.providers.find(providerId);
      const { verifiedAt, signed } = this.attestations.judge(attestation, provider?.signers ?? null);
      if (verifiedAt === null) throw providerKeysErrors.ATTESTATION_SIGNATURE_INVALID();
      const rotation = await this.keys.insertRotation(
        {
          id,
          keyId,
          requestedAt: verifiedAt,
          requestedBy: actor(),
          requestActorRef: actorRef,
          attestationVerified: signed,
        },
        attestation,
      );
      const { version } = await this.keys.change(keyId, { state });
      await this.ledger.append({
        type: 'rotation_requested',
        providerId,
        keyId,
        version,
        actorRef,
        payload: { rotation_id: id, previous_state: key.state, request_actor_ref: actorRef },
      });
      return rotation;
    });
  }
}

function refusal(state: KeyState): AppError {
  if (state === 'rotating') return providerKeysErrors.ROTATION_ALREADY_PENDING();
  if (state === 'retired') return providerKeysErrors.PROVIDER_KEY_RETIRED();
  if (state === 'compromised') return providerKeysErrors.PROVIDER_KEY_COMPROMISED();
  return providerKeysErrors.PROVIDER_KEY_NOT_ACTIVE();
}
