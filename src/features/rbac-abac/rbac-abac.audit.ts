import { defineAuditEvents } from '../../kernel/audit.js';

const PERMISSION = ['document_id', 'principal_type', 'principal_id', 'permission', 'expires_at'];

export const rbacAbacAudit = defineAuditEvents({
  'rbac.forbidden': {
    description: 'A principal lacked the role or the authority that an operation needs.',
    metadata: ['path', 'method', 'required_role', 'required_authority'],
    delivery: 'access',
  },
  'authz.access.denied': {
    description: 'Grants or policies refused an action on a document or a corpus.',
    metadata: ['action', 'reason', 'matched_policy_id'],
    delivery: 'access',
  },
  'authz.policy.created': {
    description: 'A policy was created. A template applies to every tenant.',
    metadata: ['resource_type', 'action', 'effect'],
    delivery: 'transactional',
  },
  'authz.policy.updated': {
    description: 'Fields of a policy were changed.',
    metadata: ['updated_fields'],
    delivery: 'transactional',
  },
  'authz.policy.enabled': { description: 'A policy was switched on.', metadata: [], delivery: 'transactional' },
  'authz.policy.disabled': { description: 'A policy was switched off.', metadata: [], delivery: 'transactional' },
  'authz.policy.deleted': {
    description: 'A policy was deleted. Its versions are kept.',
    metadata: [],
    delivery: 'transactional',
  },
  'authz.simulation.run': {
    description: 'An admin tried a policy without using it. A failure is a simulated refusal.',
    metadata: ['resource_type', 'action', 'matched_policy_id'],
    delivery: 'access',
  },
  'authz.access.explained': {
    description: 'An admin asked what somebody may do with a document, and why.',
    metadata: ['principal_type', 'principal_id', 'action', 'allowed', 'reason'],
    delivery: 'access',
  },
  'authz.permission.granted': {
    description: 'A permission for a document was granted, or its expiry changed.',
    metadata: PERMISSION,
    delivery: 'transactional',
  },
  'authz.permission.revoked': {
    description: 'A permission for a document was taken back.',
    metadata: PERMISSION,
    delivery: 'transactional',
  },
  'authz.permission.pruned': {
    description: 'Permissions that had expired long ago were deleted.',
    metadata: ['deleted_rows', 'older_than'],
    delivery: 'transactional',
  },
});
