import { defineErrors } from '../../kernel/errors.js';

export const quotasErrors = defineErrors('quotas', {
  QUOTA_EXCEEDED: {
    status: 402,
    message: 'The request quota is used up. Wait until details.resets_at, or have an admin raise the limit.',
    retry: 'later',
  },
});
