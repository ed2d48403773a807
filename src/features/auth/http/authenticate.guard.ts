import { Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { currentContext } from '../../../kernel/context.js';
import type { Principal } from '../../../kernel/principal.js';
import { authErrors } from '../auth.errors.js';
import { API_KEY_STRATEGY } from './api-key.strategy.js';

/** Stage 4. Puts the principal and its tenant into the context; public operations pass. */
@Injectable()
export class Authenticate extends AuthGuard(API_KEY_STRATEGY) {
  override async canActivate(execution: ExecutionContext): Promise<boolean> {
    const context = currentContext();
    context.trail.push('authentication');
    if (context.operation?.role === 'public') return true;
    return (await super.canActivate(execution)) as boolean;
  }

  override handleRequest<T = Principal>(error: Error | null, principal: Principal | false): T {
    if (error !== null) throw error;
    if (principal === false) throw authErrors.AUTH_UNAUTHORIZED();
    const context = currentContext();
    context.principal = principal;
    context.tenantId = principal.tenantId;
    return principal as T;
  }
}
