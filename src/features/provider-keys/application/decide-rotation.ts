import { Inject, Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { KeyState } from '../domain/binding.js';
import { nextState, type KeyAction } from '../domain/key-state.js';
import type { KeyRotation } from '../domain/provider-key.js';
import { ProviderKeysRepository, type StoredRotation } from '../persistence/provider-keys.repository.js';
import { ProvidersRepository } from '../persistence/providers.repository.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { providerKeysSettings, type ProviderKeysSettings } from '../provider-keys.settings.js';
import { actor } from './actor.js';
import { Attestations } from './attestations.js';
import { KeyLedger } from './key-ledger.js';
import { noSuchKey } from './provider-keys.js';

const DAY_MS = 86_400_000;

export interface Approval {
  readonly evidenceUri: string | undefined;
  readonly rotationDueAt: Date | undefined;
}

/** The end of a rotation that was asked for. */
@Injectable()
export class DecideRotation {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ProviderKeysRepository,
    private readonly providers: ProvidersRepository,
    private readonly attestations: Attestations,
    private readonly ledger: KeyLedger,
    @Inject(providerKeysSettings.token) private readonly settings: ProviderKeysSettings,
  ) {}

  /**
   * Gives the key its new attestation and its next deadline. What was believed when it was asked for is judged again.
   *
   * @throws NOT_FOUND, ROTATION_NOT_PENDING, ATTESTATION_SIGNATURE_INVALID; FOUR_EYES_REQUIRED for whoever asked for it.
   */
  async approve(providerId: string, keyId: string, rotationId: string, approval: Approval): Promise<KeyRotation> {
    const { evidenceUri } = approval;
    return this.uow.run(async () => {
      const { rotation, state } = await this.#pending(providerId, keyId, rotationId, 'approve_rotation');
      const by = actor();
      if ([rotation.requestedBy, rotation.requestActorRef].includes(by)) throw providerKeysErrors.FOUR_EYES_REQUIRED();
      const attestation = { digest: rotation.attestationDigest ?? '', signature: rotation.attestationSignature };
      const provider = await this.providers.find(providerId);
      const { verifiedAt: now, signed } = this.attestations.judge(attestation, provider?.signers ?? null);
      if (now === null) throw providerKeysErrors.ATTESTATION_SIGNATURE_INVALID();
      const rotationDueAt =
        approval.rotationDueAt ?? new Date(now.getTime() + this.settings.rotationIntervalDays * DAY_MS);
      const ended = await this.keys.endRotation(keyId, {
        status: 'approved',
        by,
        approvedAt: now,
        evidenceUri,
        signed,
      });
      const { version } = await this.keys.change(keyId, {
        state,
        rotationDueAt,
        attestation,
        attestationVerifiedAt: now,
      });
      await this.ledger.append({
        type: 'rotation_approved',
        providerId,
        keyId,
        version,
        actorRef: by,
        payload: {
          rotation_id: rotationId,
          approval_actor_ref: by,
          evidence_uri: evidenceUri ?? null,
          rotation_due_at: rotationDueAt,
        },
      });
      return ended as KeyRotation;
    });
  }

  /** Leaves the key as it was. Also for whoever asked. @throws NOT_FOUND, ROTATION_NOT_PENDING */
  async reject(providerId: string, keyId: string, rotationId: string, failureReason: string): Promise<KeyRotation> {
    return this.uow.run(async () => {
      const { state } = await this.#pending(providerId, keyId, rotationId, 'reject_rotation');
      const by = actor();
      const ended = await this.keys.endRotation(keyId, { status: 'failed', by, failureReason });
      const { version } = await this.keys.change(keyId, { state });
      await this.ledger.append({
        type: 'rotation_failed',
        providerId,
        keyId,
        version,
        actorRef: by,
        outcome: 'failure',
        payload: { rotation_id: rotationId, failure_reason: failureReason },
      });
      return ended as KeyRotation;
    });
  }

  /** The rotation, while nobody else can decide it, and what its key will be. */
  async #pending(
    providerId: string,
    keyId: string,
    rotationId: string,
    action: KeyAction,
  ): Promise<{ rotation: StoredRotation; state: KeyState }> {
    const key = await this.keys.lock(providerId, keyId);
    if (key === undefined) throw noSuchKey();
    const rotation = await this.keys.findRotation(keyId, rotationId);
    if (rotation === undefined) throw commonErrors.NOT_FOUND({ message: 'No such rotation.' });
    const state = nextState(key.state, action);
    if (rotation.status !== 'pending_approval' || state === undefined) throw providerKeysErrors.ROTATION_NOT_PENDING();
    return { rotation, state };
  }
}
