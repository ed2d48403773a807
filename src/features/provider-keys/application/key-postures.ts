import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import { postureOf, summarize, type Posture, type ProviderPosture } from '../domain/posture.js';
import type { ProviderKey } from '../domain/provider-key.js';
import { providerKeysSettings, type ProviderKeysSettings } from '../provider-keys.settings.js';

/** What keys let happen now. */
@Injectable()
export class KeyPostures {
  constructor(
    private readonly clock: Clock,
    @Inject(providerKeysSettings.token) private readonly settings: ProviderKeysSettings,
  ) {}

  of(key: ProviderKey | undefined): Posture {
    return postureOf(key, this.clock.now(), this.settings);
  }

  /** @param newestFirst at least the newest key of each state. */
  ofProvider(newestFirst: readonly ProviderKey[]): ProviderPosture<ProviderKey> {
    return summarize(newestFirst, this.clock.now(), this.settings);
  }
}
