import { Injectable, type CanActivate } from '@nestjs/common';
import { currentContext } from '../../../kernel/context.js';
import { Entitlements } from '../application/entitlements.js';

/** Stage 10. Lets an operation that names a plan feature happen only in tenants that have it. */
@Injectable()
export class RequireFeature implements CanActivate {
  constructor(private readonly entitlements: Entitlements) {}

  canActivate(): boolean | Promise<boolean> {
    const { operation, trail } = currentContext();
    trail.push('plan');
    if (operation?.feature === undefined) return true;
    return this.entitlements.require(operation.feature).then(() => true);
  }
}
