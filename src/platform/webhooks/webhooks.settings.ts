import { defineSettings, int, list, type SettingsOf } from '../../kernel/settings.js';

const LONGEST_DELAY_S = 604_800;

export const webhookSettings = defineSettings(
  'webhooks',
  'Webhooks',
  {
    retryDelays: list({
      env: 'WEBHOOK_RETRY_DELAYS_S',
      default: ['5', '300', '1800', '7200', '18000', '36000', '50400', '72000', '86400'],
      unit: 's',
      doc: 'Wait after the first failed attempt of a delivery, after the second, and so on; the last one repeats. The number of attempts is set for each endpoint.',
    }),
    concurrency: int({
      env: 'WEBHOOK_CONCURRENCY',
      default: 8,
      min: 1,
      max: 256,
      doc: 'Deliveries that one process sends at a time. Tenants take turns.',
    }),
    keepDays: int({
      env: 'WEBHOOK_KEEP_DAYS',
      default: 30,
      min: 1,
      max: 3_650,
      unit: 'd',
      doc: 'How long an ended delivery is kept for inspection and replay, dead ones included.',
    }),
  },
  [
    ({ retryDelays }) =>
      retryDelays.length === 0 ||
      retryDelays.some((delay) => !/^\d+(\.\d+)?$/.test(delay) || Number(delay) > LONGEST_DELAY_S)
        ? `WEBHOOK_RETRY_DELAYS_S must be numbers between 0 and ${LONGEST_DELAY_S}, separated by commas.`
        : undefined,
  ],
);

export type WebhookSettings = SettingsOf<typeof webhookSettings>;
