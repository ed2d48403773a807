import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import passport from 'passport';
import { Strategy } from 'passport-custom';
import { currentContext } from '../../../kernel/context.js';
import type { Principal } from '../../../kernel/principal.js';
import { Authenticator, type Credentials } from '../application/authenticator.js';
import { authErrors } from '../auth.errors.js';
import { authSettings, type AuthSettings } from '../auth.settings.js';

const API_KEY_STRATEGY = 'api-key';

/** Stage 4. Puts the principal and its tenant into the context; public operations pass. */
@Injectable()
export class Authenticate implements CanActivate {
  /** Of this application alone: in the library's own instance the strategies of the last application would serve all. */
  readonly #passport = new passport.Passport();

  constructor(authenticator: Authenticator, @Inject(authSettings.token) settings: AuthSettings) {
    const strategy = new Strategy((request, done) => {
      authenticator
        .authenticate(credentialsOf(request, settings.header))
        .then((principal) => done(null, principal), done);
    });
    this.#passport.use(API_KEY_STRATEGY, strategy);
  }

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const context = currentContext();
    context.trail.push('authentication');
    if (context.operation?.role === 'public') return true;
    const http = execution.switchToHttp();
    const principal = await this.#authenticate(http.getRequest<Request>(), http.getResponse<Response>());
    context.principal = principal;
    context.tenantId = principal.tenantId;
    return true;
  }

  #authenticate(request: Request, response: Response): Promise<Principal> {
    return new Promise((resolve, reject) => {
      const decide = (error: Error | null, principal?: Principal | false): void => {
        if (principal) resolve(principal);
        else reject(error ?? authErrors.AUTH_UNAUTHORIZED());
      };
      const handle = this.#passport.authenticate(API_KEY_STRATEGY, { session: false }, decide) as Handler;
      handle(request, response, reject);
    });
  }
}

type Handler = (request: Request, response: Response, next: (error?: unknown) => void) => void;

function credentialsOf(request: Request, header: string): Credentials {
  return {
    header: request.get(header),
    tenantId: request.get('x-tenant-id'),
    role: request.get('x-role'),
    method: request.method,
    path: request.path,
  };
}
