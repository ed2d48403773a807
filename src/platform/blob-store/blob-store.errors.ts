import { defineErrors } from '../../kernel/errors.js';

export const blobStoreErrors = defineErrors('blobStore', {
  BLOB_STORE_UNAVAILABLE: {
    status: 503,
    message: 'The document storage cannot serve requests right now.',
    retry: 'later',
  },
});
