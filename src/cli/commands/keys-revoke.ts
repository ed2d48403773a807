import { z } from 'zod';
import { ApiKeys } from '../../features/auth/index.js';
import { defineCommand, type CommandContext } from '../command.js';
import { CommandFailure } from '../failure.js';

export const keysRevoke = defineCommand({
  name: 'keys revoke',
  summary: 'Revoke an API key for good. Revoking it again is no error.',
  positional: ['keyId'],
  args: z.strictObject({ keyId: z.string().min(1, 'must not be empty').describe('id of the key, not its token') }),
  result: z.object({ tenant_id: z.string(), key_id: z.string(), revoked: z.literal(true) }),
  run: async (context, { keyId }) => {
    const keys = await context.service(ApiKeys);
    const tenant = await tenantOfKey(context, keyId);
    await context.asSystem(() => keys.revoke(keyId), tenant);
    return { tenant_id: tenant, key_id: keyId, revoked: true as const };
  },
  view: ({ key_id: id, tenant_id: tenant }) => ({ kind: 'lines', lines: [`Revoked ${id} of the tenant ${tenant}.`] }),
});

/** @throws CommandFailure when there is no such key. */
export async function tenantOfKey(context: CommandContext, keyId: string): Promise<string> {
  const keys = await context.service(ApiKeys);
  const tenant = await context.asSystem(() => keys.tenantOf(keyId));
  if (tenant === undefined) {
    throw new CommandFailure('NOT_FOUND', 'No API key has this id. `nexusrag keys list --tenant <tenant>` shows them.');
  }
  return tenant;
}
