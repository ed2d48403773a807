import { z } from 'zod';
import { defineSettings, int, type Field, type SettingsOf } from '../../kernel/settings.js';

const limit = z.number().int().min(0).nullable();
const limits = z.strictObject({ daily: limit, monthly: limit });
const defaultLimits = z.object({ free: limits, pro: limits, enterprise: limits }).catchall(limits);
const written = z.string().transform((raw, context) => {
  try {
    return defaultLimits.parse(JSON.parse(raw));
  } catch {
    context.addIssue('must name free, pro and enterprise as JSON, each like {"daily":500,"monthly":null}');
    return z.NEVER;
  }
});

export type PlanDefaultLimits = z.infer<typeof defaultLimits>;

const DEFAULT_LIMITS: PlanDefaultLimits = {
  free: { daily: 500, monthly: 10_000 },
  pro: { daily: 10_000, monthly: 200_000 },
  enterprise: { daily: null, monthly: null },
};

const planDefaultLimits: Field<PlanDefaultLimits> = {
  env: 'PLAN_DEFAULT_LIMITS_JSON',
  doc: 'Units a day and a month by plan, for tenants whose limits nobody set; null: unlimited. A plan that is not named has those of free; feature.high_quota_tier gives those of enterprise.',
  type: 'JSON',
  defaultText: JSON.stringify(DEFAULT_LIMITS),
  fallback: DEFAULT_LIMITS,
  parse: (raw) => written.parse(raw),
};

export const quotasSettings = defineSettings('quotas', 'Usage quotas', {
  planDefaultLimits,
  retentionDays: int({
    env: 'USAGE_COUNTER_RETENTION_DAYS',
    default: 120,
    min: 92,
    max: 3650,
    unit: 'days',
    doc: 'How long usage by day, month and route class is kept. Reports look back 90 days.',
  }),
});

export type QuotasSettings = SettingsOf<typeof quotasSettings>;
