import { defineAuditEvents } from '../../kernel/audit.js';

export const webhookAudit = defineAuditEvents({
  'webhook.delivery.replayed': {
    description: 'A delivery that was dead or cancelled is sent again.',
    metadata: ['endpoint', 'event_type'],
    delivery: 'transactional',
  },
});
