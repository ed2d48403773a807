import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { ConfigureTenant } from './application/configure-tenant.js';
import { FailedOpen } from './application/failed-open.js';
import { LastKnownPins } from './application/last-known-pins.js';
import { ResidencyGate } from './application/residency-gate.js';
import { ResidencyStatus } from './application/residency-status.js';
import { Residency } from './application/residency.js';
import { TenantConfigs } from './application/tenant-configs.js';
import { CheckResidency } from './http/check-residency.guard.js';
import { ResidencyStatusController } from './http/residency-status.controller.js';
import { TenantConfigsController } from './http/tenant-configs.controller.js';
import { TenantConfigsRepository } from './persistence/tenant-configs.repository.js';

@Module({
  imports: [AuthModule],
  controllers: [TenantConfigsController, ResidencyStatusController],
  providers: [
    TenantConfigsRepository,
    TenantConfigs,
    LastKnownPins,
    FailedOpen,
    Residency,
    ResidencyGate,
    ResidencyStatus,
    ConfigureTenant,
    CheckResidency,
  ],
  exports: [CheckResidency, ConfigureTenant, Residency, ResidencyGate, TenantConfigs],
})
export class ResidencyModule {}
