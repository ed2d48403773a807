import { Module } from '@nestjs/common';
import { Entitlements } from './application/entitlements.js';
import { FeatureOverrides } from './application/feature-overrides.js';
import { Plans } from './application/plans.js';
import { TenantPlans } from './application/tenant-plans.js';
import { UpgradeRequests } from './application/upgrade-requests.js';
import { PlansController } from './http/plans.controller.js';
import { RequireFeature } from './http/require-feature.guard.js';
import { UpgradeRequestsController } from './http/upgrade-requests.controller.js';
import { PlansRepository } from './persistence/plans.repository.js';
import { UpgradeRequestsRepository } from './persistence/upgrade-requests.repository.js';

@Module({
  controllers: [PlansController, UpgradeRequestsController],
  providers: [
    PlansRepository,
    UpgradeRequestsRepository,
    TenantPlans,
    Entitlements,
    Plans,
    FeatureOverrides,
    UpgradeRequests,
    RequireFeature,
  ],
  exports: [Entitlements, Plans, RequireFeature],
})
export class PlansModule {}
