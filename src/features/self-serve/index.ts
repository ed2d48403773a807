export { selfServeAudit } from './self-serve.audit.js';
export { SelfServeModule } from './self-serve.module.js';
