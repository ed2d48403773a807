import { defineErrors } from '../../kernel/errors.js';

export const runErrors = defineErrors('run', {
  SESSION_BUSY: {
    status: 409,
    message: 'This session is answering another question. Wait for its end.',
    retry: 'later',
    retryAfterSeconds: 1,
  },
  TTS_CONFIG_MISSING: { status: 503, message: 'No speech provider is configured.', retry: 'after-change' },
  RUN_TIMEOUT: { status: 504, message: 'The answer took longer than allowed.', retry: 'later' },
  RUN_INTERRUPTED: { status: 503, message: 'The server is shutting down. Ask again.', retry: 'later' },
  RUN_CANCELLED: {
    status: 409,
    message: 'The client left before the answer was complete. Ask with background:true to let runs finish.',
    retry: 'after-change',
  },
  UNKNOWN_ERROR: {
    status: 500,
    message: 'The answer failed on our side. Quote request_id when you report it.',
    retry: 'later',
  },
});
