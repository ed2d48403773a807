import { defineErrors } from '../../kernel/errors.js';

export const jobsErrors = defineErrors('jobs', {
  QUEUE_UNAVAILABLE: { status: 503, message: 'The job queue cannot be reached right now.', retry: 'later' },
});
