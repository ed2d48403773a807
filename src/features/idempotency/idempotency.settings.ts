import { bool, defineSettings, int, type SettingsOf } from '../../kernel/settings.js';

export const idempotencySettings = defineSettings('idempotency', 'Idempotency', {
  enabled: bool({ env: 'IDEMPOTENCY_ENABLED', default: true, doc: 'Off: the header Idempotency-Key is ignored.' }),
  ttlHours: int({
    env: 'IDEMPOTENCY_TTL_HOURS',
    default: 24,
    min: 1,
    max: 8760,
    unit: 'hours',
    doc: 'How long the answer to a request with an Idempotency-Key is kept for repetitions.',
  }),
});

export type IdempotencySettings = SettingsOf<typeof idempotencySettings>;
