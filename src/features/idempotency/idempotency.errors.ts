import { defineErrors } from '../../kernel/errors.js';

export const idempotencyErrors = defineErrors('idempotency', {
  IDEMPOTENCY_KEY_INVALID: {
    status: 400,
    message: 'Idempotency-Key must have 1 to 128 characters.',
    retry: 'after-change',
  },
  IDEMPOTENCY_KEY_CONFLICT: {
    status: 409,
    message: 'This Idempotency-Key was sent with another request. Use a new key for a new request.',
    retry: 'after-change',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    message: 'A request with this Idempotency-Key is being worked on. Repeat it after the given delay.',
    retry: 'later',
    retryAfterSeconds: 1,
  },
  IDEMPOTENCY_RESULT_LOST: {
    status: 409,
    message:
      'The first request with this Idempotency-Key took effect, but its answer was lost. Look at what it changed before you repeat it with a new key.',
    retry: 'after-change',
  },
});
