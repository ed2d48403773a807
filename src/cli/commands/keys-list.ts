import { z } from 'zod';
import { ApiKeys, toApiKeyDto } from '../../features/auth/index.js';
import { TENANT_ID } from '../../features/tenants/index.js';
import { defineCommand } from '../command.js';

const MOST_KEYS = 1000;

const item = z.object({
  key_id: z.string(),
  key_prefix: z.string(),
  name: z.string().nullable(),
  role: z.string(),
  status: z.enum(['active', 'disabled', 'revoked']),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  is_active: z.boolean(),
  is_expired: z.boolean(),
  /** Whole days since the last use, or since the creation of a key that was never used. */
  inactive_days: z.number(),
});

export const keysList = defineCommand({
  name: 'keys list',
  summary: 'List the API keys of a tenant, newest first, at most 1,000.',
  args: z.strictObject({
    tenant: z.string().regex(TENANT_ID, 'is not a tenant id').describe('tenant whose keys to list'),
    inactiveDays: z.coerce
      .number('must be a number')
      .int('must be a whole number')
      .min(1, 'must be at least 1')
      .max(3650, 'must be at most 3650')
      .default(90)
      .describe('days without use after which a key counts as inactive'),
    inactiveOnly: z.boolean().default(false).describe('only keys that are inactive or expired'),
  }),
  result: z.object({ tenant_id: z.string(), inactive_days_threshold: z.number(), items: z.array(item) }),
  run: async (context, { tenant, inactiveDays, inactiveOnly }) => {
    const keys = await context.service(ApiKeys);
    const now = (await context.infrastructure()).clock.now();
    const list = { limit: MOST_KEYS, ...(inactiveOnly ? { staleDays: inactiveDays } : {}) };
    const found = await context.asSystem(() => keys.list(list), tenant);
    const items = found.items.map((key) => toApiKeyDto(key, now));
    return { tenant_id: tenant, inactive_days_threshold: inactiveDays, items };
  },
  view: ({ tenant_id: tenant, items }) => ({
    kind: 'table',
    head: ['key_id', 'name', 'role', 'active', 'created', 'last used', 'expires', 'idle days'],
    rows: items.map((key) => [
      key.key_id,
      key.name ?? '',
      key.role,
      key.is_active ? 'yes' : key.status === 'active' ? 'no' : key.status,
      day(key.created_at),
      day(key.last_used_at),
      key.is_expired ? 'expired' : day(key.expires_at),
      String(key.inactive_days),
    ]),
    empty: `No such keys in the tenant ${tenant}.`,
  }),
});

function day(instant: string | null): string {
  return instant === null ? 'never' : instant.slice(0, 10);
}
