import { defineAuditEvents } from '../../kernel/audit.js';

const REQUEST = ['path', 'method', 'user_id', 'auth_cache', 'inactive_days_threshold'] as const;

export const authAudit = defineAuditEvents({
  'auth.access.success': { description: 'A credential was accepted.', metadata: REQUEST, delivery: 'access' },
  'auth.access.failure': { description: 'A credential was refused.', metadata: REQUEST, delivery: 'access' },
  'auth.api_key.expired': { description: 'An expired API key was presented.', metadata: REQUEST, delivery: 'access' },
  'auth.api_key.created': {
    description: 'An API key was created.',
    metadata: ['user_id', 'key_prefix', 'key_name', 'role', 'expires_in_days'],
    delivery: 'transactional',
  },
  'auth.api_key.revoked': {
    description: 'An API key was revoked.',
    metadata: ['target_key_id', 'reason'],
    delivery: 'transactional',
  },
  'auth.api_key.rotated': {
    description: 'An API key was replaced by a new one.',
    metadata: ['rotated_from', 'new_key_id', 'old_key_revoked', 'name', 'user_id'],
    delivery: 'transactional',
  },
});
