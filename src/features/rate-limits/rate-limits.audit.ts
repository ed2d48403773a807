import { defineAuditEvents } from '../../kernel/audit.js';

export const rateLimitsAudit = defineAuditEvents({
  'security.rate_limited': {
    description:
      'A request was refused by a rate limit. `repeats` counts the further ones of its kind in the ten seconds after the first.',
    metadata: ['scope', 'route_class', 'retry_after_ms', 'path', 'repeats'],
    delivery: 'access',
  },
  'system.rate_limit.degraded': {
    description:
      'The shared limits could not be reached. `repeats` counts the further requests in the ten seconds after the first.',
    metadata: ['route_class', 'path', 'fail_mode', 'repeats'],
    delivery: 'access',
  },
});
