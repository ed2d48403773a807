import { defineErrors } from '../../kernel/errors.js';

export const plansErrors = defineErrors('plans', {
  FEATURE_NOT_ENABLED: {
    status: 403,
    message: 'Feature not enabled for tenant plan. An admin of the tenant can request an upgrade.',
    retry: 'after-change',
  },
});
