import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Maintenance } from './application/maintenance.js';
import { Readiness, type ReadinessCheck } from './application/readiness.js';
import { HealthController } from './http/health.controller.js';
import { MaintenanceController } from './http/maintenance.controller.js';

@Module({})
export class OpsModule {
  static forRoot(checks: readonly ReadinessCheck[]): DynamicModule {
    return {
      module: OpsModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController, MaintenanceController],
      providers: [{ provide: Readiness, useValue: new Readiness(checks) }, Maintenance],
    };
  }
}
