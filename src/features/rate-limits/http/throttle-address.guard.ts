import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { currentContext } from '../../../kernel/context.js';
import { authSettings, type AuthSettings } from '../../auth/index.js';
import { AddressThrottle } from '../application/address-throttle.js';
import { RefuseRequest } from './refuse-request.js';

/** Stage 3. Refuses an address that had too many credentials refused, before another one is looked at. */
@Injectable()
export class ThrottleAddress implements CanActivate {
  constructor(
    private readonly throttle: AddressThrottle,
    private readonly refuse: RefuseRequest,
    @Inject(authSettings.token) private readonly settings: AuthSettings,
  ) {}

  canActivate(execution: ExecutionContext): boolean {
    const { operation, ipAddress, trail } = currentContext();
    trail.push('throttle');
    if (operation === undefined || operation.role === 'public') return true;
    const request = execution.switchToHttp().getRequest<Request>();
    const wait = this.throttle.waitMs(ipAddress, request.get(this.settings.header));
    if (wait > 0) throw this.refuse.because('ip', wait, operation.rateClass, request.path);
    return true;
  }
}
