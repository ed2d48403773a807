import { Module } from '@nestjs/common';
import { IngestionModule } from '../ingestion/index.js';
import { PlansModule } from '../plans/index.js';
import { QuotasModule } from '../quotas/index.js';
import { PlanReport } from './application/plan-report.js';
import { UsageReports } from './application/usage-reports.js';
import { SelfServeController } from './http/self-serve.controller.js';

@Module({
  imports: [IngestionModule, PlansModule, QuotasModule],
  controllers: [SelfServeController],
  providers: [PlanReport, UsageReports],
})
export class SelfServeModule {}
