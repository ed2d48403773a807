import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';
import { currentContext } from '../../../kernel/context.js';
import { QuotaMeter } from '../application/quota-meter.js';

/** Stage 12. Makes the reserved units count, or refuses what the quota has no room for. Public operations pass. */
@Injectable()
export class ChargeQuota implements CanActivate {
  constructor(private readonly meter: QuotaMeter) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const context = currentContext();
    context.trail.push('quota');
    // What is answered from an earlier request costs nothing.
    if (context.replay !== undefined) return true;
    const charged = this.meter.charge(execution.switchToHttp().getResponse<Response>());
    return charged === undefined || charged.then(() => true);
  }
}
