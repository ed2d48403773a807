import { defineErrors } from '../../kernel/errors.js';

export const ingestionErrors = defineErrors('ingestion', {
  INGEST_VALIDATION_ERROR: {
    status: 422,
    message: 'The document cannot be indexed as it was sent.',
    retry: 'after-change',
  },
  INGEST_IN_PROGRESS: {
    status: 409,
    message: 'The document is being ingested. Repeat the request when its status is succeeded or failed.',
    retry: 'later',
  },
  INGEST_SOURCE_MISSING: {
    status: 409,
    message: 'The stored text of the document is missing. Send the document again with overwrite.',
    retry: 'after-change',
  },
  DOCUMENT_EXISTS: {
    status: 409,
    message: 'The document exists with other content. Repeat the request with overwrite to replace it.',
    retry: 'after-change',
  },
  QUEUE_ERROR: {
    status: 503,
    message: 'The ingestion queue cannot be reached. The document was kept as failed: reindex it later.',
    retry: 'later',
  },
});
