import { defineAuditEvents } from '../../kernel/audit.js';

export const rbacAbacAudit = defineAuditEvents({
  'rbac.forbidden': {
    description: 'A principal lacked the role that an operation needs.',
    metadata: ['path', 'method', 'required_role'],
    delivery: 'access',
  },
});
