import { defineErrors } from '../../kernel/errors.js';

/** They end as the `failure_code` of a document, not as the answer to a request. */
export const documentParserErrors = defineErrors('document-parser', {
  FILE_ENCRYPTED: {
    status: 422,
    message: 'The file is protected by a password. Remove the protection and send it again with overwrite.',
    retry: 'after-change',
  },
  FILE_CORRUPT: {
    status: 422,
    message: 'The file cannot be read: it is damaged, cut short, or of another type than declared.',
    retry: 'after-change',
  },
  FILE_TOO_LARGE: {
    status: 422,
    message: 'The file holds more than one document may. Split it and send the parts.',
    retry: 'after-change',
  },
  FILE_TIMEOUT: {
    status: 422,
    message: 'Reading the file took longer than allowed. Simplify or split it.',
    retry: 'after-change',
  },
  FILE_WITHOUT_TEXT: {
    status: 422,
    message: 'The file has no text. If it is a scan, run text recognition (OCR) on it and send the result.',
    retry: 'after-change',
  },
});
