import { defineAuditEvents } from '../../kernel/audit.js';

export const plansAudit = defineAuditEvents({
  'plan.assigned': {
    description: 'A tenant was put on another plan.',
    metadata: ['from', 'to'],
    delivery: 'transactional',
  },
  'plan.override.updated': {
    description: 'A feature of a tenant was set apart from its plan, or given back to it.',
    metadata: ['feature_key', 'enabled', 'has_config'],
    delivery: 'transactional',
  },
  'plan.upgrade_requested': {
    description: 'A tenant asked for a larger plan.',
    metadata: ['current_plan', 'target_plan', 'reason'],
    delivery: 'transactional',
  },
});
