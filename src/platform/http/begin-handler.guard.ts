import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { currentContext } from '../../kernel/context.js';
import { Clock } from '../../kernel/time.js';
import { requestTimes } from './request-context.js';

/** Stage 19. Notes that the pipeline is done and the handler begins, unless an earlier answer is repeated instead. */
@Injectable()
export class BeginHandler implements CanActivate {
  constructor(private readonly clock: Clock) {}

  canActivate(execution: ExecutionContext): boolean {
    const { replay, trail } = currentContext();
    if (replay !== undefined) return true;
    trail.push('handler');
    requestTimes(execution.switchToHttp().getRequest<Request>()).handlerStarted = this.clock.monotonic();
    return true;
  }
}
