import { defineSettings, int, type SettingsOf } from '../../kernel/settings.js';

export const plansSettings = defineSettings('plans', 'Plans', {
  cacheTtlSeconds: int({
    env: 'ENTITLEMENT_CACHE_TTL_S',
    default: 30,
    min: 0,
    max: 300,
    unit: 's',
    doc: "How long a tenant's features are remembered. A change reaches every process at once all the same; 0 looks them up each time.",
  }),
});

export type PlansSettings = SettingsOf<typeof plansSettings>;
