import { z } from 'zod';
import { ApiKeys } from '../../features/auth/index.js';
import { defineCommand } from '../command.js';
import { tenantOfKey } from './keys-revoke.js';

export const keysRotate = defineCommand({
  name: 'keys rotate',
  summary: 'Replace an API key by a new one of the same user and expiry, and print the new token once.',
  positional: ['oldKeyId'],
  args: z.strictObject({
    oldKeyId: z.string().min(1, 'must not be empty').describe('id of the key to replace'),
    name: z
      .string()
      .trim()
      .min(1, 'must not be empty')
      .max(120, 'is longer than 120')
      .optional()
      .describe('name of the new key (default: that of the old one)'),
    keepOldActive: z.boolean().default(false).describe('leave the old key valid, to be revoked later'),
  }),
  result: z.object({
    tenant_id: z.string(),
    key_id: z.string(),
    user_id: z.string(),
    rotated_from: z.string(),
    old_key_revoked: z.boolean(),
    token: z.string(),
  }),
  run: async (context, { oldKeyId, name, keepOldActive }) => {
    const keys = await context.service(ApiKeys);
    const tenant = await tenantOfKey(context, oldKeyId);
    const options = { keepOld: keepOldActive, ...(name === undefined ? {} : { name }) };
    const key = await context.asSystem(() => keys.rotate(oldKeyId, options), tenant);
    return {
      tenant_id: tenant,
      key_id: key.id,
      user_id: key.userId,
      rotated_from: oldKeyId,
      old_key_revoked: !keepOldActive,
      token: key.token,
    };
  },
  view: (key) => ({
    kind: 'fields',
    fields: Object.entries(key).map(([name, value]) => [name, String(value)] as const),
    note: 'The token is shown this once. Use it as: Authorization: Bearer <token>',
  }),
});
