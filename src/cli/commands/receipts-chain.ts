import { z } from 'zod';
import { ReceiptChain } from '../../features/receipts/index.js';
import { TENANT_ID } from '../../features/tenants/index.js';
import { defineCommand } from '../command.js';
import { EXIT } from '../failure.js';

/** Differs from that of a command that could not verify. */
const TAMPERED = 4;

export const receiptsChain = defineCommand({
  name: 'receipts chain',
  summary: 'Verify every link of the receipts of a tenant. Ends with 4 when one was changed, removed or added.',
  args: z.strictObject({
    tenant: z.string().regex(TENANT_ID, 'is not a tenant id').describe('tenant whose receipts to verify'),
  }),
  result: z.object({
    ok: z.boolean(),
    first_bad_seq: z.number().nullable(),
    checked: z.number(),
    head_seq: z.number().nullable(),
    head: z.string().nullable(),
  }),
  run: async (context, { tenant }) => {
    const chain = await context.service(ReceiptChain);
    const { firstBadSeq, checked, head } = await context.asSystem(() => chain.verify(), tenant);
    return {
      ok: firstBadSeq === null,
      first_bad_seq: firstBadSeq,
      checked,
      head_seq: head?.seq ?? null,
      head: head?.entryHash ?? null,
    };
  },
  view: (result) => ({
    kind: 'fields',
    fields: Object.entries(result).map(([name, value]) => [name, String(value ?? '')] as const),
    note: result.ok
      ? 'Every link is as it was made. Keep the head elsewhere: it proves later that nothing was cut off.'
      : `The link ${result.first_bad_seq} is not as it was made, or its receipt is gone. Nothing after it was checked.`,
  }),
  exitCode: ({ ok }) => (ok ? EXIT.ok : TAMPERED),
});
