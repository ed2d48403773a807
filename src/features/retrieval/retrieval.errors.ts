import { defineErrors } from '../../kernel/errors.js';

export const retrievalErrors = defineErrors('retrieval', {
  RETRIEVAL_CONFIG_INVALID: {
    status: 422,
    message: 'The corpus cannot be searched: correct its provider_config_json.',
    retry: 'after-change',
  },
  RETRIEVAL_ERROR: { status: 502, message: 'The corpus could not be searched.', retry: 'later' },
});
