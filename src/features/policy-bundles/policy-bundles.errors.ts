import { defineErrors } from '../../kernel/errors.js';

export const policyBundlesErrors = defineErrors('policy-bundles', {
  POLICY_BUNDLE_INVALID: {
    status: 400,
    message: 'The policy bundle is not valid: correct its YAML.',
    retry: 'after-change',
  },
  POLICY_UNAVAILABLE: {
    status: 503,
    message: 'The policy that the tenant enforces cannot be read now. Try again shortly.',
    retry: 'later',
    retryAfterSeconds: 1,
  },
});
