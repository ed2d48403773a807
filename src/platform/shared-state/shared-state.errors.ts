import { defineErrors } from '../../kernel/errors.js';

export const sharedStateErrors = defineErrors('sharedState', {
  SHARED_STATE_UNAVAILABLE: {
    status: 503,
    message: 'The service cannot reach its shared state right now.',
    retry: 'later',
    retryAfterSeconds: 1,
  },
});
