import { z } from 'zod';
import { AuditVerification } from '../../features/audit/index.js';
import { TENANT_ID } from '../../features/tenants/index.js';
import { defineCommand } from '../command.js';
import { EXIT } from '../failure.js';

/** Differs from that of a command that could not verify. */
const TAMPERED = 4;

export const auditVerify = defineCommand({
  name: 'audit verify',
  summary: 'Compare the audit events of a tenant with their seals. Ends with 4 when one was changed, removed or added.',
  args: z.strictObject({
    tenant: z
      .string()
      .regex(TENANT_ID, 'is not a tenant id')
      .optional()
      .describe('tenant whose events to verify (default: events of no tenant, such as refused credentials)'),
  }),
  result: z.object({
    ok: z.boolean(),
    first_bad_id: z.number().nullable(),
    checked: z.number(),
    sealed_to: z.number().nullable(),
    head: z.string().nullable(),
  }),
  run: async (context, { tenant }) => {
    const verification = await context.service(AuditVerification);
    return context.asSystem(async () => {
      let checked = 0;
      for (let cursor: string | undefined; ;) {
        const part = await (tenant === undefined
          ? verification.ofNobody({ cursor })
          : verification.ofTenant({ cursor }));
        checked += part.checked;
        cursor = part.nextCursor ?? undefined;
        if (cursor === undefined) {
          const { ok, firstBadId, head } = part;
          return { ok, first_bad_id: firstBadId, checked, sealed_to: head?.id ?? null, head: head?.hash ?? null };
        }
      }
    }, tenant);
  },
  view: (result) => ({
    kind: 'fields',
    fields: Object.entries(result).map(([name, value]) => [name, String(value ?? '')] as const),
    note: result.ok
      ? 'Every sealed event is as it was. Keep the head elsewhere: it proves later that nothing was cut off.'
      : `The event ${result.first_bad_id} is not as it was sealed, or was removed or added. Nothing after it was checked.`,
  }),
  exitCode: ({ ok }) => (ok ? EXIT.ok : TAMPERED),
});
