import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { ResidencyModule } from '../residency/index.js';
import { BundlesInForce } from './application/bundles-in-force.js';
import { PolicyBundles } from './application/policy-bundles.js';
import { Screens } from './application/screens.js';
import { PolicyBundlesController } from './http/policy-bundles.controller.js';
import { PolicyBundlesRepository } from './persistence/policy-bundles.repository.js';

@Module({
  imports: [AuthModule, ResidencyModule],
  controllers: [PolicyBundlesController],
  providers: [PolicyBundlesRepository, BundlesInForce, PolicyBundles, Screens],
  exports: [Screens],
})
export class PolicyBundlesModule {}
