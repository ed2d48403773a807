import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { Clock } from '../../../kernel/time.js';
import { Operation, Reply } from '../../../platform/http/index.js';
import { Readiness } from '../application/readiness.js';

class HealthDto {
  status!: string;
}

class LivenessDto {
  status!: string;
  ts!: string;
}

const PROBE = { role: 'public', rateClass: 'none', cost: 0 } as const;

@Controller('v1')
export class HealthController {
  constructor(
    private readonly clock: Clock,
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: Readiness,
  ) {}

  @Get('health')
  @Operation({ ...PROBE, id: 'health.get', summary: 'Whether the process answers', returns: HealthDto })
  get(): HealthDto {
    return { status: 'ok' };
  }

  @Get('healthz')
  @Operation({
    ...PROBE,
    id: 'health.live',
    summary: 'Liveness probe: whether the process answers',
    response: 'bare',
    returns: LivenessDto,
  })
  live(): LivenessDto {
    return { status: 'ok', ts: this.clock.now().toISOString() };
  }

  @Get('readyz')
  @Operation({
    ...PROBE,
    id: 'health.ready',
    summary: 'Readiness probe: database, migrations, shared state and queue',
    response: 'bare',
  })
  async ready(): Promise<Reply<unknown>> {
    const checks = this.readiness.checks.map(
      ({ name, check, isWarning }) =>
        async (): Promise<HealthIndicatorResult> => {
          const indicator = this.indicators.check(name);
          const fault = await check();
          if (fault === undefined) return indicator.up();
          return isWarning === true ? indicator.up({ warning: fault }) : indicator.down(fault);
        },
    );
    const result = await this.health.check(checks).catch((error: unknown) => unready(error));
    return new Reply(result, { status: result.status === 'ok' ? 200 : 503 });
  }
}

/** Terminus reports failed checks by throwing its result. */
function unready(error: unknown): { status: string } {
  if (error instanceof ServiceUnavailableException) return error.getResponse() as { status: string };
  throw error;
}
