import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { currentContext, type Context } from '../../../kernel/context.js';
import { AppError } from '../../../kernel/errors.js';
import type { Principal } from '../../../kernel/principal.js';
import { AuthenticationWatch } from '../application/authentication-watch.js';
import { Authenticator, type Credentials } from '../application/authenticator.js';
import { authSettings, type AuthSettings } from '../auth.settings.js';

/** Stage 4. Puts the principal and its tenant into the context; public operations pass. */
@Injectable()
export class Authenticate implements CanActivate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly watch: AuthenticationWatch,
    @Inject(authSettings.token) private readonly settings: AuthSettings,
  ) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const context = currentContext();
    context.trail.push('authentication');
    if (context.operation?.role === 'public') return true;
    const request = execution.switchToHttp().getRequest<Request>();
    const credentials = credentialsOf(request, this.settings.header);
    const remembered = this.authenticator.remembered(credentials);
    if (remembered === undefined) return this.#authenticate(context, credentials);
    return this.#accept(context, credentials, remembered);
  }

  async #authenticate(context: Context, credentials: Credentials): Promise<true> {
    try {
      return this.#accept(context, credentials, await this.authenticator.authenticate(credentials));
    } catch (error) {
      if (isRefusal(error)) this.watch.refused(context.ipAddress, credentials.header);
      throw error;
    }
  }

  #accept(context: Context, { header }: Credentials, principal: Principal): true {
    this.watch.accepted(header);
    context.principal = principal;
    context.tenantId = principal.tenantId;
    return true;
  }
}

/** Neither a failure of ours nor a malformed request. */
function isRefusal(error: unknown): boolean {
  return error instanceof AppError && (error.status === 401 || error.status === 403);
}

function credentialsOf(request: Request, header: string): Credentials {
  return {
    header: request.get(header),
    tenantId: request.get('x-tenant-id'),
    role: request.get('x-role'),
    method: request.method,
    path: request.path,
  };
}
