import { defineErrors } from '../../kernel/errors.js';

/** Texts are constants: what a provider says is kept as the cause, for the log, and never reaches a caller. */
export const modelErrors = defineErrors('models', {
  VERTEX_CONFIG_MISSING: {
    status: 503,
    message: 'Vertex AI is not configured: set GOOGLE_CLOUD_PROJECT, GOOGLE_CLOUD_LOCATION and GEMINI_MODEL.',
    retry: 'after-change',
  },
  VERTEX_AUTH_ERROR: {
    status: 502,
    message: 'Vertex AI did not accept the credentials of this installation.',
    retry: 'after-change',
  },
  VERTEX_TIMEOUT: { status: 504, message: 'Vertex AI did not answer in time.', retry: 'later' },
  LLM_CONFIG_MISSING: {
    status: 503,
    message: 'The model provider is not configured: set OPENAI_API_KEY, or OPENAI_BASE_URL for another server.',
    retry: 'after-change',
  },
  LLM_AUTH_ERROR: {
    status: 502,
    message: 'The model provider did not accept the credentials of this installation.',
    retry: 'after-change',
  },
  LLM_TIMEOUT: { status: 504, message: 'The model did not answer in time.', retry: 'later' },
  LLM_ERROR: { status: 502, message: 'The model failed to answer.', retry: 'later' },
  LLM_UNAVAILABLE: {
    status: 503,
    message: 'The model keeps failing and is not being called for a while. Retry later.',
    retry: 'later',
  },
  LLM_CONTENT_FILTERED: {
    status: 422,
    message: "The provider's content filter withheld the answer.",
    retry: 'after-change',
  },
  EMBEDDING_CONFIG_MISSING: {
    status: 503,
    message: 'The embedding provider is not configured.',
    retry: 'after-change',
  },
  EMBEDDING_ERROR: { status: 502, message: 'The embedding provider failed to answer.', retry: 'later' },
  EMBEDDING_DIMENSION_MISMATCH: {
    status: 502,
    message: 'The embedding provider returned vectors of another size than 768. Choose a model that can return 768.',
    retry: 'after-change',
  },
  RERANK_ERROR: { status: 502, message: 'The reranker failed to answer.', retry: 'later' },
});
