export { AuditModule } from './audit.module.js';
export { AuditWriter } from './application/audit-writer.js';
export { AuditEventEntity } from './persistence/audit-event.entity.js';
