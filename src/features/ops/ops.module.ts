import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Readiness, type ReadinessCheck } from './application/readiness.js';
import { HealthController } from './http/health.controller.js';

@Module({})
export class OpsModule {
  static forRoot(checks: readonly ReadinessCheck[]): DynamicModule {
    return {
      module: OpsModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [{ provide: Readiness, useValue: new Readiness(checks) }],
    };
  }
}
