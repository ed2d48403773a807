export { BaselinePolicies } from './application/baseline-policies.js';
export { DocumentAccess } from './application/document-access.js';
export { DocumentGrants } from './application/document-grants.js';
export { GrantPruning } from './application/grant-pruning.js';
export { Groups, NO_GROUPS, type Group } from './application/groups.js';
export { TenantPolicies } from './application/tenant-policies.js';
export type { DocumentFacts, DocumentRules } from './domain/document-rules.js';
export { runPolicyTests } from './domain/policy-tests.js';
export { readPolicyTests, type Fault } from './domain/read-policy-tests.js';
export type { DocumentAction } from './domain/scope.js';
export { Authorize } from './http/authorize.guard.js';
export { allowed, granted, type DocumentCondition } from './persistence/document-condition.js';
export { documentFacts } from './persistence/document-facts.js';
export { grantedDocuments } from './persistence/granted-documents.js';
export {
  AuthorizationPolicyEntity,
  AuthorizationPolicyVersionEntity,
} from './persistence/authorization-policy.entities.js';
export { DocumentPermissionEntity } from './persistence/document-permission.entity.js';
export { rbacAbacAudit } from './rbac-abac.audit.js';
export { rbacAbacErrors } from './rbac-abac.errors.js';
export { RbacAbacModule } from './rbac-abac.module.js';
export { rbacAbacSettings } from './rbac-abac.settings.js';
