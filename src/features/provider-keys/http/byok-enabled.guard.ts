import { Inject, Injectable, type CanActivate } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext } from '../../../kernel/context.js';
import { providerKeysSettings, type ProviderKeysSettings } from '../provider-keys.settings.js';

/** Stage 7. Refuses everything about providers and their keys while that is switched off. */
@Injectable()
export class ByokEnabled implements CanActivate {
  constructor(@Inject(providerKeysSettings.token) private readonly settings: ProviderKeysSettings) {}

  canActivate(): boolean {
    if (!this.settings.enabled && currentContext().route?.startsWith('/v1/providers') === true) {
      throw commonErrors.FEATURE_TEMPORARILY_DISABLED();
    }
    return true;
  }
}
