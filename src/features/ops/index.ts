export type { ReadinessCheck } from './application/readiness.js';
export { OpsModule } from './ops.module.js';
