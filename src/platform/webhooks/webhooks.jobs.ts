import { z } from 'zod';
import { defineJob } from '../../kernel/jobs.js';

/** One job for each delivery, until it ends. Its attempts count faults of ours, not those of the receiver. */
export const webhookJob = defineJob({
  name: 'webhook-delivery',
  description: 'Sends an event to a receiver until it is accepted or given up.',
  payload: z.object({ deliveryId: z.string() }),
  attempts: 10,
  backoff: { baseMs: 1_000, maxMs: 300_000 },
});
