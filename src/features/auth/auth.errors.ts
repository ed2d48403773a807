import { defineErrors } from '../../kernel/errors.js';

export const authErrors = defineErrors('auth', {
  AUTH_UNAUTHORIZED: {
    status: 401,
    message: 'Send a valid API key as: Authorization: Bearer <key>.',
    retry: 'after-change',
  },
  AUTH_REVOKED_KEY: { status: 401, message: 'This API key was revoked. Use another one.', retry: 'after-change' },
  AUTH_EXPIRED_KEY: { status: 401, message: 'This API key has expired. Create a new one.', retry: 'after-change' },
  AUTH_INACTIVE_KEY: {
    status: 401,
    message: 'This API key was not used for too long. An admin can reactivate it.',
    retry: 'after-change',
  },
  AUTH_FORBIDDEN: { status: 403, message: 'Your role does not permit this operation.', retry: 'never' },
  PLATFORM_OPERATOR_REQUIRED: {
    status: 403,
    message: 'Only an admin of an operator tenant may do this. Ask whoever operates this installation.',
    retry: 'never',
  },
  AUTH_INVALID_ROLE: { status: 400, message: 'X-Role must be reader, editor or admin.', retry: 'after-change' },
  KEY_LIMIT_REACHED: {
    status: 409,
    message: 'The tenant has as many active API keys as it may have. Revoke one that is not needed.',
    retry: 'after-change',
  },
  AUTH_UNAVAILABLE: { status: 503, message: 'Credentials cannot be checked right now.', retry: 'later' },
});
