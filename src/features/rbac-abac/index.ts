export { DocumentGrants } from './application/document-grants.js';
export { Authorize } from './http/authorize.guard.js';
export { DocumentPermissionEntity } from './persistence/document-permission.entity.js';
export { rbacAbacAudit } from './rbac-abac.audit.js';
export { RbacAbacModule } from './rbac-abac.module.js';
