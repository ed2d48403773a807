import { providerKeysSettings } from '../features/provider-keys/index.js';
import type { Settings } from '../kernel/settings.js';

/** What production allows, and what should not stay so. */
export function productionWarnings(settings: Settings): string[] {
  if (settings.mode !== 'production') return [];
  const { enabled, attestationMode } = settings.get(providerKeysSettings);
  return enabled && attestationMode === 'encoding_only'
    ? ['Attestations of provider keys are stored unverified. Set BYOK_ATTESTATION_MODE=verify, or BYOK_ENABLED=false.']
    : [];
}
