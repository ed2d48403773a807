import { defineAuditEvents } from '../../kernel/audit.js';

const PIN = ['from', 'to', 'forced', 'reason', 'config_version'] as const;
const DATA = ['surface', 'provider', 'provider_region', 'mode'] as const;

export const residencyAudit = defineAuditEvents({
  'residency.mismatch': {
    description:
      'A request of a tenant that is pinned to another region was refused; at most one a minute and credential.',
    metadata: ['tenant_region', 'route', 'method'],
    delivery: 'access',
  },
  'residency.check_failed_open': {
    description:
      'A tenant was served though its pin could not be read and was never seen; at most one a minute and tenant.',
    metadata: ['path', 'error_class'],
    delivery: 'access',
  },
  'residency.pin.changed': {
    description: 'A tenant was pinned to a region, or unpinned.',
    metadata: PIN,
    delivery: 'transactional',
  },
  'residency.pin.refused': {
    description: 'A pin was refused because it would have locked the tenant out.',
    metadata: PIN,
    delivery: 'access',
  },
  'tenant.config.updated': {
    description: 'The configuration of a tenant was changed.',
    metadata: ['updated_keys', 'version'],
    delivery: 'transactional',
  },
  'residency.provider_mismatch': {
    description: 'Data of a pinned tenant is, or would have been, with a retrieval provider outside its region.',
    metadata: DATA,
    delivery: 'access',
  },
  'residency.egress': {
    description:
      'Text of a pinned tenant went, or would have gone, to a model endpoint outside its region, or nobody knows where.',
    metadata: DATA,
    delivery: 'access',
  },
});
