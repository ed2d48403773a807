import { defineErrors } from '../../kernel/errors.js';

/** Codes as the protocol has them. None of the texts names the region of this process, but for that of an unsafe pin. */
export const residencyErrors = defineErrors('residency', {
  'residency.mismatch': {
    status: 403,
    message:
      'The tenant is pinned to another region; this request did not reach the right region. Retry against the regional endpoint.',
    retry: 'never',
  },
  'residency.unavailable': {
    status: 503,
    message: 'Where the tenant may be served cannot be checked right now.',
    retry: 'later',
    retryAfterSeconds: 1,
  },
  'residency.invalid_pin': {
    status: 422,
    message: 'The pin would lock the tenant out of this server. Patch it from a server of the region it names.',
    retry: 'after-change',
  },
  'residency.provider_mismatch': {
    status: 403,
    alternatives: [409],
    message:
      'The retrieval provider is outside the region that the tenant is pinned to. Use one inside it, or local retrieval.',
    retry: 'after-change',
  },
  'residency.egress_blocked': {
    status: 403,
    message:
      'A model endpoint is outside the region that the tenant is pinned to, and the tenant does not let data leave it.',
    retry: 'after-change',
  },
  TENANT_CONFIG_VERSION_CONFLICT: {
    status: 409,
    message: 'The configuration has changed. Read it again and repeat the change with its current version.',
    retry: 'after-change',
  },
});
