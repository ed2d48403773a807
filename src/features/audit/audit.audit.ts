import { defineAuditEvents } from '../../kernel/audit.js';

export const auditAudit = defineAuditEvents({
  'audit.viewed': {
    description: 'The audit trail was read; one event for each key and minute.',
    metadata: ['path', 'method'],
    delivery: 'access',
  },
  'audit.exported': {
    description: 'An export of the audit trail began.',
    metadata: ['filters'],
    delivery: 'transactional',
  },
  'audit.pruned': {
    description: 'Events beyond the retention were removed.',
    metadata: ['deleted_rows', 'older_than'],
    delivery: 'transactional',
  },
});
