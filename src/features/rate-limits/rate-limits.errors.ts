import { defineErrors } from '../../kernel/errors.js';

export const rateLimitsErrors = defineErrors('rate-limits', {
  RATE_LIMIT_UNAVAILABLE: {
    status: 503,
    message: 'Rate limits cannot be checked right now.',
    retry: 'later',
    retryAfterSeconds: 1,
  },
});
