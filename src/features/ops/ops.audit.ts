import { defineAuditEvents } from '../../kernel/audit.js';

export const opsAudit = defineAuditEvents({
  'maintenance.task.run': {
    description: 'An admin had a maintenance task done for the tenant.',
    metadata: ['task', 'deleted_rows'],
    delivery: 'transactional',
  },
});
