import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import type { AppError } from '../../../kernel/errors.js';
import type { Operation } from '../../../kernel/operation.js';
import { roleAtLeast, type Principal } from '../../../kernel/principal.js';
import { authErrors, Operators } from '../../auth/index.js';

/**
 * Stage 8. Compares the principal's role and authority with the operation's, and the tenant that the path or the
 * query names with the principal's own, unless an operator may name it.
 */
@Injectable()
export class Authorize implements CanActivate {
  constructor(
    private readonly audit: AuditTrail,
    private readonly operators: Operators,
  ) {}

  canActivate(execution: ExecutionContext): boolean {
    const { operation, principal, trail } = currentContext();
    trail.push('role');
    if (operation?.role === 'public') return true;
    const request = execution.switchToHttp().getRequest<Request>();
    const refusal = this.#refusal(operation, principal, request);
    if (refusal === undefined) return true;
    this.audit.note({
      event: 'rbac.forbidden',
      outcome: 'failure',
      errorCode: refusal.code,
      metadata: {
        path: request.path,
        method: request.method,
        required_role: operation?.role,
        ...(operation?.authority === undefined ? {} : { required_authority: operation.authority }),
      },
    });
    throw refusal;
  }

  #refusal(
    operation: Operation | undefined,
    principal: Principal | undefined,
    { params, query }: Request,
  ): AppError | undefined {
    if (operation === undefined || principal === undefined) return authErrors.AUTH_FORBIDDEN();
    const { role, authority, operatorReach } = operation;
    const tenant = params['tenant'] ?? query['tenant_id'] ?? principal.tenantId;
    if (role !== 'public' && !roleAtLeast(principal.role, role)) return authErrors.AUTH_FORBIDDEN();
    const reached = operatorReach !== undefined && this.operators.has(principal, 'operator');
    if (tenant !== principal.tenantId && !reached) return authErrors.AUTH_FORBIDDEN();
    if (authority === undefined || this.operators.has(principal, authority)) return undefined;
    return authErrors.PLATFORM_OPERATOR_REQUIRED();
  }
}
