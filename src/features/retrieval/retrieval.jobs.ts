import { z } from 'zod';
import { AppError } from '../../kernel/errors.js';
import { defineJob } from '../../kernel/jobs.js';

export const reembedJob = defineJob({
  name: 'corpus-reembed',
  description: 'Makes the vectors of another embedding model for a corpus, then searches with them.',
  payload: z.object({ corpusId: z.string(), model: z.string() }),
  attempts: 8,
  backoff: { baseMs: 5000, maxMs: 600_000 },
  permanent: (error) => error instanceof AppError && error.spec.retry !== 'later',
});

export type ReembedPayload = z.infer<(typeof reembedJob)['payload']>;
