import { defineAuditEvents } from '../../kernel/audit.js';

export const billingAudit = defineAuditEvents({
  'billing.webhook.failure': {
    description: 'A billing event was given up: no attempt was accepted, or the receiver is gone.',
    metadata: ['event_type', 'delivery_id', 'attempts', 'status_code', 'reason'],
    delivery: 'transactional',
  },
  'selfserve.billing_webhook_tested': {
    description: 'An admin had a test event sent to the billing webhook, or asked for it while the webhook is off.',
    metadata: ['delivery_id', 'status_code', 'sent', 'reason'],
    delivery: 'transactional',
  },
});
