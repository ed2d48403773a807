import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import { attestationFault, isSigned, type Signers } from '../domain/attestation.js';
import type { Attestation } from '../persistence/provider-keys.repository.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { providerKeysSettings, type ProviderKeysSettings } from '../provider-keys.settings.js';

export interface Judgement {
  /** Null while nobody is known who could have signed it: the key must not be used. */
  readonly verifiedAt: Date | null;
  /** Whether a signer of the provider stands for it. */
  readonly signed: boolean;
}

/** What the customer's key management says of a key, and whether it is believed. */
@Injectable()
export class Attestations {
  constructor(
    private readonly clock: Clock,
    @Inject(providerKeysSettings.token) private readonly settings: ProviderKeysSettings,
  ) {}

  /** An attestation of the right form. @throws ATTESTATION_REQUIRED, ATTESTATION_ENCODING_INVALID */
  accept(digest: string | null | undefined, signature: string | null | undefined): Attestation {
    const given = { digest: digest ?? '', signature: signature ?? '' };
    const fault = attestationFault(given.digest, given.signature);
    if (fault === 'missing') throw providerKeysErrors.ATTESTATION_REQUIRED();
    if (fault === 'encoding') throw providerKeysErrors.ATTESTATION_ENCODING_INVALID();
    return given;
  }

  /** @throws ATTESTATION_SIGNATURE_INVALID when none of the signers signed it. */
  judge({ digest, signature }: Attestation, signers: Signers | null): Judgement {
    const now = this.clock.now();
    if (this.settings.attestationMode === 'encoding_only') return { verifiedAt: now, signed: false };
    if (signers === null) return { verifiedAt: null, signed: false };
    if (!isSigned(digest, signature, signers)) throw providerKeysErrors.ATTESTATION_SIGNATURE_INVALID();
    return { verifiedAt: now, signed: true };
  }
}
