import type { FactoryProvider } from '@nestjs/common';
import { AuditRetention } from '../features/audit/index.js';
import { IdempotencyKeys } from '../features/idempotency/index.js';
import { MAINTENANCE_TASKS, type MaintenanceTask } from '../features/ops/index.js';
import { GrantPruning } from '../features/rbac-abac/index.js';
import { UsagePruning } from '../features/quotas/index.js';
import { currentContext } from '../kernel/context.js';

/** What admins can have done for their tenant; jobs.ts has the same work done for all tenants. */
export const maintenanceTasks: FactoryProvider<readonly MaintenanceTask[]> = {
  provide: MAINTENANCE_TASKS,
  inject: [IdempotencyKeys, AuditRetention, UsagePruning, GrantPruning],
  useFactory: (keys: IdempotencyKeys, audit: AuditRetention, usage: UsagePruning, grants: GrantPruning) => [
    { name: 'prune_idempotency', run: () => keys.pruneTenant() },
    { name: 'prune_audit', run: () => audit.pruneTenant(currentContext().tenantId ?? '') },
    { name: 'prune_usage', run: () => usage.pruneTenant() },
    { name: 'prune_permissions', run: () => grants.pruneTenant() },
  ],
};
