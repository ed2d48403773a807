import { z } from 'zod';
import { ApiKeys, type ApiKeyRecord } from '../../features/auth/index.js';
import { TENANT_ID } from '../../features/tenants/index.js';
import { defineCommand } from '../command.js';

const DAY_MS = 86_400_000;

const item = z.object({
  key_id: z.string(),
  key_prefix: z.string(),
  name: z.string().nullable(),
  role: z.string(),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  is_active: z.boolean(),
  is_expired: z.boolean(),
  /** Whole days since the last use, or since the creation of a key that was never used. */
  inactive_days: z.number(),
});
type Item = z.output<typeof item>;

export const keysList = defineCommand({
  name: 'keys list',
  summary: 'List the API keys of a tenant, newest first.',
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
    const records = await context.asSystem(() => keys.list(), tenant);
    const items = records
      .map((record) => describeKey(record, now))
      .filter((key) => !inactiveOnly || key.is_expired || key.inactive_days >= inactiveDays);
    return { tenant_id: tenant, inactive_days_threshold: inactiveDays, items };
  },
  view: ({ tenant_id: tenant, items }) => ({
    kind: 'table',
    head: ['key_id', 'name', 'role', 'active', 'created', 'last used', 'expires', 'idle days'],
    rows: items.map((key) => [
      key.key_id,
      key.name ?? '',
      key.role,
      key.is_active ? 'yes' : key.revoked_at === null ? 'no' : 'revoked',
      day(key.created_at),
      day(key.last_used_at),
      key.is_expired ? 'expired' : day(key.expires_at),
      String(key.inactive_days),
    ]),
    empty: `No such keys in the tenant ${tenant}.`,
  }),
});

export function describeKey(key: ApiKeyRecord, now: Date): Item {
  const expired = key.expiresAt !== null && key.expiresAt <= now;
  return {
    key_id: key.id,
    key_prefix: key.prefix,
    name: key.name,
    role: key.role,
    created_at: key.createdAt.toISOString(),
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    is_active: key.userActive && key.status === 'active' && !expired,
    is_expired: expired,
    inactive_days: Math.floor((now.getTime() - (key.lastUsedAt ?? key.createdAt).getTime()) / DAY_MS),
  };
}

function day(instant: string | null): string {
  return instant === null ? 'never' : instant.slice(0, 10);
}
