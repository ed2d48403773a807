import { defineErrors } from '../../kernel/errors.js';

export const rbacAbacErrors = defineErrors('rbac-abac', {
  AUTHZ_DENIED: {
    status: 403,
    message: 'access denied by policy',
    retry: 'after-change',
  },
  AUTHZ_POLICY_INVALID: {
    status: 422,
    message: 'The policy is not one that can be evaluated.',
    retry: 'after-change',
  },
  AUTHZ_POLICY_TOO_COMPLEX: {
    status: 422,
    message: 'The condition is larger or deeper than allowed. Split the policy in several.',
    retry: 'after-change',
  },
  AUTHZ_SIMULATION_INVALID: {
    status: 400,
    message: 'Simulate what the policies are asked, within your own tenant.',
    retry: 'after-change',
  },
  AUTHZ_PERMISSION_NOT_FOUND: {
    status: 404,
    message: 'The document has no such permission.',
    retry: 'never',
  },
});
