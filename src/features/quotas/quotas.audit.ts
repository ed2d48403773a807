import { defineAuditEvents } from '../../kernel/audit.js';

const LEVELS = ['day_used', 'day_limit', 'month_used', 'month_limit'] as const;

export const quotasAudit = defineAuditEvents({
  'quota.limits.updated': {
    description: 'The limits of a tenant were changed.',
    metadata: ['before', 'after'],
    delivery: 'transactional',
  },
  'quota.soft_cap_reached': {
    description: 'The soft cap of a period was reached; once a period.',
    metadata: ['period', 'used', 'limit', 'soft_cap_ratio'],
    delivery: 'transactional',
  },
  'quota.hard_cap_blocked': {
    description: 'A request was refused because the quota is used up.',
    metadata: ['period', ...LEVELS],
    delivery: 'access',
  },
  'quota.overage_observed': {
    description: 'A request beyond the limit was let through, because the hard cap is off.',
    metadata: LEVELS,
    delivery: 'access',
  },
  'billing.usage_recorded': {
    description: 'The state of the counters after a request; a sample of 2 %.',
    metadata: [...LEVELS, 'hard_cap_enabled'],
    delivery: 'access',
  },
});
