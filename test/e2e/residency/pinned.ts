import { expect } from '@jest/globals';
import type { Response } from 'supertest';
import type { TestApp } from '../../harness/app.js';

/** Operators are admins of this tenant only, as in production. */
export const OPERATED = { PLATFORM_OPERATOR_TENANTS: 'ops' };

/** Writes a configuration past the API, so that it can be what the API would refuse. */
export async function configure(app: TestApp, tenantId: string, config: unknown): Promise<void> {
  await app.rows(
    `INSERT INTO tenant_configs (tenant_id, config) VALUES ($1, $2::jsonb)
     ON CONFLICT (tenant_id) DO UPDATE SET config = EXCLUDED.config, version = tenant_configs.version + 1`,
    [tenantId, JSON.stringify(config)],
  );
}

export async function pin(app: TestApp, tenantId: string, region: unknown): Promise<void> {
  await configure(app, tenantId, { region });
}

export function mismatchText(tenantId: string, region: string): string {
  return `tenant '${tenantId}' is pinned to region '${region}'; this request did not reach the right region. Retry against the regional endpoint.`;
}

export function expectMismatch(response: Response, tenantId: string, region: string): void {
  const { error } = response.body as { error?: { code: string; message: string } };
  expect([response.status, error?.code, error?.message]).toEqual([
    403,
    'residency.mismatch',
    mismatchText(tenantId, region),
  ]);
}

export function expectError(response: Response, status: number, code: string): void {
  const { error } = response.body as { error?: { code: string } };
  expect([response.status, error?.code]).toEqual([status, code]);
}

/** Everything of an answer that goes over the wire, as one text. */
export function wire(response: Response): string {
  return `${JSON.stringify(response.headers)}\n${response.text}`;
}
