import { defineErrors } from '../../kernel/errors.js';

export const billingErrors = defineErrors('billing', {
  BILLING_WEBHOOK_NOT_CONFIGURED: {
    status: 400,
    message:
      'The billing webhook is off. An operator sets BILLING_WEBHOOK_ENABLED, BILLING_WEBHOOK_URL and BILLING_WEBHOOK_SECRET.',
    retry: 'after-change',
  },
});
