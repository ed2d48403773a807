import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import { roleAtLeast } from '../../../kernel/principal.js';
import { authErrors } from '../../auth/index.js';

/** Stage 8. Compares the principal's role with the operation's. */
@Injectable()
export class Authorize implements CanActivate {
  constructor(private readonly audit: AuditTrail) {}

  canActivate(execution: ExecutionContext): boolean {
    const context = currentContext();
    context.trail.push('role');
    const required = context.operation?.role;
    if (required === 'public') return true;
    const { principal } = context;
    if (required !== undefined && principal !== undefined && roleAtLeast(principal.role, required)) return true;
    const request = execution.switchToHttp().getRequest<Request>();
    this.audit.note({
      event: 'rbac.forbidden',
      outcome: 'failure',
      errorCode: 'AUTH_FORBIDDEN',
      metadata: { path: request.path, method: request.method, required_role: required },
    });
    throw authErrors.AUTH_FORBIDDEN();
  }
}
