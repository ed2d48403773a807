import { defineErrors } from './errors.js';

/** Codes that no single feature owns: one per HTTP status, and the ones every route can answer. */
export const commonErrors = defineErrors('common', {
  BAD_REQUEST: { status: 400, message: 'The request is not valid.', retry: 'after-change' },
  INVALID_CURSOR: {
    status: 400,
    message: 'The cursor is not one that this list returned. Start again without a cursor.',
    retry: 'after-change',
  },
  TENANT_ID_NOT_ALLOWED: {
    status: 400,
    message: 'Remove tenant_id: the tenant always follows from the credential.',
    retry: 'after-change',
  },
  NOT_FOUND: { status: 404, message: 'No such resource.', retry: 'never' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'This path does not support the method. See the Allow header.',
    retry: 'never',
  },
  NOT_ACCEPTABLE: { status: 406, message: 'No representation matches the Accept header.', retry: 'after-change' },
  CONFLICT: { status: 409, message: 'The request conflicts with the current state.', retry: 'after-change' },
  GONE: { status: 410, message: 'Unversioned routes were retired. Prefix the path with /v1.', retry: 'never' },
  PRECONDITION_FAILED: {
    status: 412,
    message: 'The resource has changed. Read it again and repeat the change with its current ETag.',
    retry: 'after-change',
  },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The request body is larger than allowed.', retry: 'after-change' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'This content type is not supported.', retry: 'after-change' },
  REQUEST_VALIDATION_ERROR: {
    status: 422,
    message: 'The request does not have the documented shape. See details.errors.',
    retry: 'after-change',
  },
  VALIDATION_ERROR: { status: 422, message: 'The request breaks a rule of this operation.', retry: 'after-change' },
  RATE_LIMITED: {
    status: 429,
    message: 'Rate limit exceeded. Send the request again after the time in Retry-After.',
    retry: 'later',
  },
  REQUEST_HEADER_FIELDS_TOO_LARGE: {
    status: 431,
    message: 'The request headers are larger than allowed.',
    retry: 'after-change',
  },
  INTERNAL_ERROR: {
    status: 500,
    message: 'Something went wrong on our side. Quote meta.request_id when you report it.',
    retry: 'later',
  },
  NOT_IMPLEMENTED: { status: 501, message: 'This is not implemented.', retry: 'never' },
  UPSTREAM_ERROR: { status: 502, message: 'A service behind this one failed.', retry: 'later' },
  SERVICE_UNAVAILABLE: { status: 503, message: 'The service cannot answer right now.', retry: 'later' },
  FEATURE_TEMPORARILY_DISABLED: {
    status: 503,
    message: 'This operation is switched off for now.',
    retry: 'later',
  },
  SERVICE_BUSY: {
    status: 503,
    message: 'All slots for this operation are taken. Retry after the given delay.',
    retry: 'later',
    retryAfterSeconds: 1,
  },
  UPSTREAM_TIMEOUT: { status: 504, message: 'A service behind this one did not answer in time.', retry: 'later' },
});
