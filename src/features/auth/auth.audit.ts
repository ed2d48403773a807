import { defineAuditEvents } from '../../kernel/audit.js';

const REQUEST = ['path', 'method', 'user_id', 'auth_cache', 'inactive_days_threshold'] as const;
const CHANGE = ['target_key_id', 'name', 'expires_at', 'revoked_at', 'last_used_at', 'reason', 'max_active'] as const;

export const authAudit = defineAuditEvents({
  'auth.access.success': { description: 'A credential was accepted.', metadata: REQUEST, delivery: 'access' },
  'auth.access.failure': { description: 'A credential was refused.', metadata: REQUEST, delivery: 'access' },
  'auth.api_key.expired': { description: 'An expired API key was presented.', metadata: REQUEST, delivery: 'access' },
  'auth.api_key.created': {
    description: 'An API key was created.',
    metadata: ['user_id', 'key_prefix', 'key_name', 'role', 'expires_in_days'],
    delivery: 'transactional',
  },
  'auth.api_key.updated': {
    description: 'The name or the expiry of an API key was changed.',
    metadata: CHANGE,
    delivery: 'transactional',
  },
  'auth.api_key.deactivated': {
    description: 'An API key was disabled for the time being.',
    metadata: CHANGE,
    delivery: 'transactional',
  },
  'auth.api_key.reactivated': {
    description: 'An API key was made usable again, and its time without use starts anew.',
    metadata: CHANGE,
    delivery: 'transactional',
  },
  'auth.api_key.revoked': {
    description: 'An API key was revoked.',
    metadata: CHANGE,
    delivery: 'transactional',
  },
  'auth.api_key.rotated': {
    description: 'An API key was replaced by a new one.',
    metadata: [
      'rotated_from',
      'new_key_id',
      'old_key_revoked',
      'old_key_expires_at',
      'name',
      'user_id',
      'reason',
      'max_active',
    ],
    delivery: 'transactional',
  },
  'selfserve.api_key.created': {
    description: 'An admin of the tenant created an API key, or was refused.',
    metadata: ['key_id', 'name', 'role', 'reason', 'max_active'],
    delivery: 'transactional',
  },
  'selfserve.api_key.revoked': {
    description: 'An admin of the tenant revoked an API key, or was refused.',
    metadata: ['key_id', 'reason'],
    delivery: 'transactional',
  },
  'selfserve.api_key.listed': {
    description: 'An admin of the tenant listed its API keys; at most once an hour for each credential and process.',
    metadata: ['count'],
    delivery: 'access',
  },
  'selfserve.api_key.inactive_reported': {
    description: 'An admin of the tenant asked which API keys are unused or expired.',
    metadata: ['inactive_days', 'count'],
    delivery: 'access',
  },
});
