import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport-custom';
import type { Principal } from '../../../kernel/principal.js';
import { Authenticator } from '../application/authenticator.js';
import { authSettings, type AuthSettings } from '../auth.settings.js';

export const API_KEY_STRATEGY = 'api-key';

/** Passport's view of our credentials: takes them off the request and hands them to the authenticator. */
@Injectable()
export class ApiKeyStrategy extends PassportStrategy(Strategy, API_KEY_STRATEGY) {
  constructor(
    private readonly authenticator: Authenticator,
    @Inject(authSettings.token) private readonly settings: AuthSettings,
  ) {
    super();
  }

  validate(request: Request): Promise<Principal> {
    return this.authenticator.authenticate({
      header: request.get(this.settings.header),
      tenantId: request.get('x-tenant-id'),
      role: request.get('x-role'),
      method: request.method,
      path: request.path,
    });
  }
}
