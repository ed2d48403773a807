import { z } from 'zod';
import { AppError } from '../../kernel/errors.js';
import { defineJob } from '../../kernel/jobs.js';

/** Belongs to the tenant of the operator: the one that moves may not be here yet, or not any more. */
export const moveJob = defineJob({
  name: 'tenant-move',
  description: 'Exports, imports or purges a tenant, from where it stopped.',
  payload: z.object({ moveId: z.string(), kind: z.enum(['export', 'import', 'purge']) }),
  attempts: 20,
  backoff: { baseMs: 5000, maxMs: 600_000 },
  permanent: (error) => error instanceof AppError && error.spec.retry !== 'later',
});

export type MovePayload = z.infer<(typeof moveJob)['payload']>;
