export { ByokEnabled } from './http/byok-enabled.guard.js';
export { KeyBindings } from './application/key-bindings.js';
export { KeyChanges, type KeyRevoked } from './application/key-changes.js';
export { RotationSla } from './application/rotation-sla.js';
export type { AttachableBinding, BindingPosture, KeyState } from './domain/binding.js';
export {
  ProviderEntity,
  ProviderKeyAuditEventEntity,
  ProviderKeyBindingEntity,
  ProviderKeyEntity,
  ProviderKeyRotationEntity,
  ProviderTierEntity,
} from './persistence/provider-keys.entities.js';
export { providerKeysAudit } from './provider-keys.audit.js';
export { providerKeysErrors } from './provider-keys.errors.js';
export { ProviderKeysModule } from './provider-keys.module.js';
export { providerKeysSettings } from './provider-keys.settings.js';
