import { defineAuditEvents } from '../../kernel/audit.js';

export const rbacAbacAudit = defineAuditEvents({
  'rbac.forbidden': {
    description: 'A principal lacked the role or the authority that an operation needs.',
    metadata: ['path', 'method', 'required_role', 'required_authority'],
    delivery: 'access',
  },
});
