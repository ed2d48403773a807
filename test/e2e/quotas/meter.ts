import { expect } from '@jest/globals';
import type { Response } from 'supertest';
import { UsageLedger } from '../../../src/features/quotas/index.js';
import type { Actor, TestApp } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';

export type Json = Record<string, unknown>;

export interface QuotaChanges {
  readonly daily_requests_limit?: number | null;
  readonly monthly_requests_limit?: number | null;
  readonly soft_cap_ratio?: number;
  readonly hard_cap_enabled?: boolean;
}

export const bodyOf = (response: Response): { data: Json; error: { code: string; message: string; details: Json } } =>
  response.body as { data: Json; error: { code: string; message: string; details: Json } };

/** Day, month, soft cap and mode as the headers tell them. */
export function quotaOf(response: Response): string {
  const header = (name: string): string => response.get(`X-Quota-${name}`) ?? '–';
  const period = (name: string): string =>
    ['Limit', 'Used', 'Remaining'].map((part) => header(`${name}-${part}`)).join('/');
  return [period('Day'), period('Month'), header('SoftCap-Reached'), header('HardCap-Mode')].join(' ');
}

export async function setQuota(admin: Actor, changes: QuotaChanges): Promise<void> {
  await admin.patch(`/v1/admin/quotas/${admin.tenantId}`, changes).expect(200);
}

/** Units in the ledger, once everything that ended is written: of the newest day and month. */
export async function ledgerOf(app: TestApp, tenantId: string): Promise<{ day: number; month: number }> {
  await app.app.nest.get(UsageLedger, { strict: false }).flush();
  const rows = await app.rows<{ type: string; used: number }>(
    `SELECT period_type AS type, requests_count::float8 AS used FROM usage_counters
      WHERE tenant_id = $1 ORDER BY period_start`,
    [tenantId],
  );
  const last = (type: string): number => rows.filter((row) => row.type === type).at(-1)?.used ?? 0;
  return { day: last('day'), month: last('month') };
}

/** Waits until the ledger has exactly this many units of the day: a request is settled after its response. */
export async function expectUsed(app: TestApp, { tenantId }: Actor, day: number): Promise<void> {
  await eventually(async () => expect((await ledgerOf(app, tenantId)).day).toBe(day));
}

export async function eventsOf(app: TestApp, { tenantId }: Actor, event: string): Promise<Json[]> {
  return (await app.audit(tenantId)).filter(({ event_type }) => event_type === event);
}
