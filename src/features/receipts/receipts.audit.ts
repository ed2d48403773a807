import { defineAuditEvents } from '../../kernel/audit.js';

export const receiptsAudit = defineAuditEvents({
  'receipt.emission_failed': {
    description: 'The receipt of an answer could not be written.',
    metadata: ['receipt_id', 'reason', 'signing_kid'],
    delivery: 'access',
  },
  'receipt.unsigned': {
    description: 'The key of a receipt was missing or failed, so it has no signature.',
    metadata: ['receipt_id', 'reason', 'signing_kid'],
    delivery: 'access',
  },
  'receipt.verified': {
    description: 'The signature of a receipt was checked.',
    metadata: ['receipt_id', 'verdict'],
    delivery: 'access',
  },
  'receipt.replayed': {
    description: 'The retrieval of a receipt was done again.',
    metadata: ['receipt_id', 'replay_receipt_id', 'verdict', 'drift_class'],
    delivery: 'transactional',
  },
});
