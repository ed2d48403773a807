import { bool, defineSettings, int, oneOf, type SettingsOf } from '../../kernel/settings.js';

export const providerKeysSettings = defineSettings('provider-keys', 'Provider keys (BYOK)', {
  enabled: bool({
    env: 'BYOK_ENABLED',
    default: true,
    doc: 'Off: the routes of providers and their keys answer 503. Postures are still watched over.',
  }),
  attestationMode: oneOf(['encoding_only', 'verify'], {
    env: 'BYOK_ATTESTATION_MODE',
    default: 'encoding_only',
    doc: 'verify: an attestation must be signed by a JWK of its provider. encoding_only: it must only be readable.',
  }),
  rotationIntervalDays: int({
    env: 'BYOK_ROTATION_INTERVAL_DAYS',
    default: 90,
    min: 1,
    max: 3650,
    unit: 'days',
    doc: 'Deadline of the next rotation after an approval that names none.',
  }),
  rotationWarningHours: int({
    env: 'BYOK_ROTATION_WARNING_HOURS',
    default: 24,
    min: 0,
    max: 8760,
    unit: 'h',
    doc: 'How long before its deadline a rotation is announced.',
  }),
  rotationDedupeHours: int({
    env: 'BYOK_ROTATION_DEDUPE_HOURS',
    default: 6,
    min: 1,
    max: 8760,
    unit: 'h',
    doc: 'An announcement of one kind for one key is not repeated within this time.',
  }),
  rotationScanSeconds: int({
    env: 'BYOK_ROTATION_SCAN_INTERVAL_S',
    default: 300,
    min: 10,
    max: 86_400,
    unit: 's',
    doc: 'How often deadlines are looked at.',
  }),
  rotationGraceHours: int({
    env: 'BYOK_ROTATION_GRACE_HOURS',
    default: 72,
    min: 0,
    max: 8760,
    unit: 'h',
    doc: 'How long a key without a deadline stays usable while its rotation waits for approval.',
  }),
  vetoOnApproaching: bool({
    env: 'BYOK_VETO_ON_APPROACHING',
    default: false,
    doc: 'Stop workloads that need a key already when its rotation is announced.',
  }),
});

export type ProviderKeysSettings = SettingsOf<typeof providerKeysSettings>;
