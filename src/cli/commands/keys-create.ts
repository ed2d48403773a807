import { z } from 'zod';
import { ApiKeys } from '../../features/auth/index.js';
import { TENANT_ID, Tenants } from '../../features/tenants/index.js';
import { ROLES } from '../../kernel/principal.js';
import { defineCommand } from '../command.js';

export const keysCreate = defineCommand({
  name: 'keys create',
  summary: 'Create an API key, with its tenant when that is missing, and print the token once.',
  args: z.strictObject({
    tenant: z.string().regex(TENANT_ID, 'is not a tenant id').describe('tenant that the key belongs to'),
    role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`).describe(ROLES.join(' | ')),
    name: z.string().trim().min(1, 'must not be empty').max(120, 'is longer than 120').describe('what the key is for'),
    userId: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('user of the key; an existing one takes the role (default: a new user)'),
    email: z.email('is not an address').optional().describe('address of the user'),
    expiresInDays: z.coerce
      .number('must be a number')
      .int('must be a whole number')
      .min(1, 'must be at least 1')
      .max(3650, 'must be at most 3650')
      .optional()
      .describe('days until the key expires (default: never)'),
  }),
  result: z.object({
    tenant_id: z.string(),
    key_id: z.string(),
    user_id: z.string(),
    role: z.string(),
    name: z.string(),
    token: z.string(),
  }),
  run: async (context, { tenant, role, name, userId, email, expiresInDays }) => {
    const [tenants, keys] = [await context.service(Tenants), await context.service(ApiKeys)];
    const key = await context.asSystem(async () => {
      await tenants.ensure(tenant);
      return keys.create({
        role,
        name,
        ...(userId === undefined ? {} : { userId }),
        ...(email === undefined ? {} : { email }),
        ...(expiresInDays === undefined ? {} : { expiresInDays }),
      });
    }, tenant);
    return { tenant_id: tenant, key_id: key.id, user_id: key.userId, role, name, token: key.token };
  },
  view: (key) => ({
    kind: 'fields',
    fields: Object.entries(key),
    note: 'The token is shown this once. Use it as: Authorization: Bearer <token>',
  }),
});
