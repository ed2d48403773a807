import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../kernel/settings.js';
import { providerKeysSettings } from '../features/provider-keys/index.js';
import { productionWarnings } from './production-warnings.js';

describe('what production should not stay with', () => {
  it.each([
    ['attestations that nobody verifies', { NODE_ENV: 'production' }, 1],
    ['but not when they are verified', { NODE_ENV: 'production', BYOK_ATTESTATION_MODE: 'verify' }, 0],
    ['nor when keys are switched off', { NODE_ENV: 'production', BYOK_ENABLED: 'false' }, 0],
    ['nor in development', {}, 0],
  ])('%s', (_name, env, warnings) => {
    expect(productionWarnings(loadSettings(env, [providerKeysSettings]))).toHaveLength(warnings);
  });
});
