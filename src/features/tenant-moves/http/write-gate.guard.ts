import { Injectable, type CanActivate } from '@nestjs/common';
import { currentContext } from '../../../kernel/context.js';
import { TenantFreezes } from '../application/tenant-freezes.js';
import { movesErrors } from '../tenant-moves.errors.js';

/** Stage 7. While a tenant is frozen it is read and not changed, so that what is copied last is all there is. */
@Injectable()
export class WriteGate implements CanActivate {
  constructor(private readonly freezes: TenantFreezes) {}

  canActivate(): boolean | Promise<boolean> {
    const { operation, principal, trail } = currentContext();
    trail.push('write gate');
    if (principal === undefined || !['mutation', 'run'].includes(operation?.rateClass ?? '')) return true;
    return this.#check();
  }

  async #check(): Promise<true> {
    if (await this.freezes.current()) throw movesErrors.WRITE_FROZEN({ details: { scope: 'tenant' } });
    return true;
  }
}
