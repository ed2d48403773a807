import { defineAuditEvents } from '../../kernel/audit.js';

export const selfServeAudit = defineAuditEvents({
  'selfserve.usage.viewed': {
    description: 'An admin of the tenant looked at its usage.',
    metadata: ['window_days', 'metric', 'granularity', 'days'],
    delivery: 'access',
  },
  'selfserve.plan.viewed': {
    description: 'An admin of the tenant looked at its plan.',
    metadata: ['plan_id'],
    delivery: 'access',
  },
});
