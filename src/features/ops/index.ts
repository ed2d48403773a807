export { MAINTENANCE_TASKS, type MaintenanceTask } from './application/maintenance.js';
export type { ReadinessCheck } from './application/readiness.js';
export { opsAudit } from './ops.audit.js';
export { OpsModule } from './ops.module.js';
