import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { PlansModule } from '../plans/index.js';
import { AuthzPosture } from './application/authz-posture.js';
import { BaselinePolicies } from './application/baseline-policies.js';
import { DocumentAccess } from './application/document-access.js';
import { DocumentGrants } from './application/document-grants.js';
import { DocumentPermissions } from './application/document-permissions.js';
import { Explanations } from './application/explanations.js';
import { GrantPruning } from './application/grant-pruning.js';
import { Policies } from './application/policies.js';
import { Simulations } from './application/simulations.js';
import { Somebodies } from './application/somebody.js';
import { TenantPolicies } from './application/tenant-policies.js';
import { Authorize } from './http/authorize.guard.js';
import { AuthzPostureController } from './http/authz-posture.controller.js';
import { DecisionsController } from './http/decisions.controller.js';
import { PermissionsController } from './http/permissions.controller.js';
import { PoliciesController } from './http/policies.controller.js';
import { PolicyTemplatesController } from './http/policy-templates.controller.js';
import { DocumentExplanationRepository } from './persistence/document-explanation.repository.js';
import { DocumentPermissionsRepository } from './persistence/document-permissions.repository.js';
import { PoliciesRepository } from './persistence/policies.repository.js';

@Module({
  imports: [AuthModule, PlansModule],
  controllers: [
    PoliciesController,
    PolicyTemplatesController,
    DecisionsController,
    PermissionsController,
    AuthzPostureController,
  ],
  providers: [
    PoliciesRepository,
    DocumentPermissionsRepository,
    DocumentExplanationRepository,
    Authorize,
    DocumentAccess,
    DocumentGrants,
    TenantPolicies,
    Policies,
    BaselinePolicies,
    Simulations,
    Somebodies,
    Explanations,
    DocumentPermissions,
    GrantPruning,
    AuthzPosture,
  ],
  exports: [Authorize, BaselinePolicies, DocumentAccess, DocumentGrants, GrantPruning, TenantPolicies],
})
export class RbacAbacModule {}
