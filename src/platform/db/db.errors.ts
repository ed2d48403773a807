import { defineErrors } from '../../kernel/errors.js';

export const dbErrors = defineErrors('db', {
  AUTHZ_RLS_GUARD_FAILED: {
    status: 500,
    message: 'A query without a tenant was refused.',
    retry: 'never',
  },
  DB_ERROR: { status: 500, message: 'The change could not be stored.', retry: 'later' },
});
