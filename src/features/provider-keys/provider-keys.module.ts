import { Module } from '@nestjs/common';
import { Attestations } from './application/attestations.js';
import { BindingOfKeys } from './application/binding-of-keys.js';
import { ChangeSigners } from './application/change-signers.js';
import { DecideRotation } from './application/decide-rotation.js';
import { KeyBindings } from './application/key-bindings.js';
import { KeyEventFeed } from './application/key-event-feed.js';
import { KeyLedger } from './application/key-ledger.js';
import { KeyPostures } from './application/key-postures.js';
import { ProviderKeys } from './application/provider-keys.js';
import { ProviderTiers } from './application/provider-tiers.js';
import { Providers } from './application/providers.js';
import { RegisterKey } from './application/register-key.js';
import { RequestRotation } from './application/request-rotation.js';
import { RevokeKey } from './application/revoke-key.js';
import { RotationSla } from './application/rotation-sla.js';
import { StoredKeyBindings } from './application/stored-key-bindings.js';
import { KeyBindingsController } from './http/key-bindings.controller.js';
import { KeyEventsController } from './http/key-events.controller.js';
import { KeyRotationsController } from './http/key-rotations.controller.js';
import { ProviderKeysController } from './http/provider-keys.controller.js';
import { ProviderTiersController } from './http/provider-tiers.controller.js';
import { ProvidersController } from './http/providers.controller.js';
import { BindingsRepository } from './persistence/bindings.repository.js';
import { KeyEventsRepository } from './persistence/key-events.repository.js';
import { ProviderKeysRepository } from './persistence/provider-keys.repository.js';
import { ByokEnabled } from './http/byok-enabled.guard.js';
import { ProviderTiersRepository } from './persistence/provider-tiers.repository.js';
import { ProvidersRepository } from './persistence/providers.repository.js';
import { RotationSlaRepository } from './persistence/rotation-sla.repository.js';

@Module({
  controllers: [
    ProvidersController,
    ProviderKeysController,
    KeyEventsController,
    KeyRotationsController,
    KeyBindingsController,
    ProviderTiersController,
  ],
  providers: [
    ByokEnabled,
    ProvidersRepository,
    ProviderTiersRepository,
    ProviderKeysRepository,
    BindingsRepository,
    KeyEventsRepository,
    RotationSlaRepository,
    Attestations,
    KeyPostures,
    KeyEventFeed,
    KeyLedger,
    Providers,
    ChangeSigners,
    ProviderTiers,
    ProviderKeys,
    RegisterKey,
    RequestRotation,
    DecideRotation,
    RevokeKey,
    BindingOfKeys,
    RotationSla,
    { provide: KeyBindings, useClass: StoredKeyBindings },
  ],
  exports: [ByokEnabled, KeyBindings, RotationSla],
})
export class ProviderKeysModule {}
