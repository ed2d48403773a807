import { z } from 'zod';
import type { Context } from '../../kernel/context.js';
import { ROLES } from '../../kernel/principal.js';

/** What a job keeps of the request that asked for it: who acted, and the ids that tie the logs together. */
const jobContextSchema = z.object({
  requestId: z.string(),
  traceparent: z.string().exactOptional(),
  principal: z
    .object({
      subjectId: z.string(),
      tenantId: z.string(),
      role: z.enum(ROLES),
      apiKeyId: z.string(),
      authMethod: z.enum(['api_key', 'sso_session', 'dev_bypass', 'system']),
      subjectType: z.literal('user'),
    })
    .exactOptional(),
});

export type JobContext = z.output<typeof jobContextSchema>;

export function keepContext({ requestId, traceparent, principal }: Context): JobContext {
  return {
    requestId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(principal === undefined ? {} : { principal }),
  };
}

/** A kept context that this version cannot read costs the correlation, not the job. */
export function restoreContext(kept: unknown, tenantId: string, jobId: string): Context {
  const parsed = jobContextSchema.safeParse(kept);
  return { ...(parsed.success ? parsed.data : { requestId: jobId }), tenantId, trail: [] };
}
