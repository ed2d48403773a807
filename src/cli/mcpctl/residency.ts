import { z } from 'zod';
import { apiPath } from '../../platform/api-client/index.js';
import { defineApiCommand, id, wholeNumber } from './api-command.js';

const pin = defineApiCommand({
  name: 'residency pin',
  summary: 'Pin a tenant to a region; an empty region unpins it.',
  positional: ['tenant', 'region'],
  args: z.strictObject({
    tenant: id('whom to pin'),
    region: z.string().describe('as STATEWAVE_REGION of the servers there'),
    reason: z.string().describe('why, for the audit trail'),
    force: z.boolean().default(false).describe('also to a region that the server does not serve'),
    expectedVersion: wholeNumber('version of the configuration that you have read, 0 for none', 2_147_483_647, 0),
  }),
  columns: {
    Tenant: 'tenant_id',
    Region: 'config.region',
    Version: 'version',
    Updated: 'updated_at',
  },
  run: ({ api }, { tenant, region, reason, force, expectedVersion }) =>
    api.patch(apiPath`/v1/admin/tenants/${tenant}/config`, {
      region,
      reason,
      force_region_pin: force ? true : undefined,
      expected_version: expectedVersion,
    }),
  remark: (data) => {
    const { warnings } = data as { warnings?: readonly unknown[] };
    if (warnings === undefined || warnings.length === 0) return undefined;
    return `Warning: ${warnings.length} attachments are outside the region now; see --json, and their incidents.`;
  },
});

const status = defineApiCommand({
  name: 'residency status',
  summary: 'Show where the server is, and how many tenants are pinned where.',
  args: z.strictObject({}),
  columns: {
    Zone: 'zone',
    'Pinned Tenants': 'pinned_tenants',
    Refused: 'mismatch_total',
    'Failed Open': 'fail_open_total',
  },
  run: ({ api }) => api.get('/v1/ops/residency'),
});

export const RESIDENCY_COMMANDS = [pin, status];
