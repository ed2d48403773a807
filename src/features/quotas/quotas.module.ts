import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { PlansModule } from '../plans/index.js';
import { Limits } from './application/limits.js';
import { LimitsCache } from './application/limits-cache.js';
import { PlanDefaults } from './application/plan-defaults.js';
import { QuotaAnnouncements } from './application/quota-announcements.js';
import { QuotaMeter } from './application/quota-meter.js';
import { QuotaNotices } from './application/quota-notices.js';
import { Usage } from './application/usage.js';
import { UsageLedger } from './application/usage-ledger.js';
import { UsagePruning } from './application/usage-pruning.js';
import { ChargeQuota } from './http/charge-quota.guard.js';
import { QuotasController } from './http/quotas.controller.js';
import { OldUsageRepository } from './persistence/old-usage.repository.js';
import { PlanLimitsRepository } from './persistence/plan-limits.repository.js';
import { QuotaMarksRepository } from './persistence/quota-marks.repository.js';
import { UsageRepository } from './persistence/usage.repository.js';

@Module({
  imports: [AuthModule, PlansModule],
  controllers: [QuotasController],
  providers: [
    PlanLimitsRepository,
    UsageRepository,
    QuotaMarksRepository,
    OldUsageRepository,
    PlanDefaults,
    LimitsCache,
    Limits,
    QuotaAnnouncements,
    QuotaNotices,
    UsageLedger,
    QuotaMeter,
    Usage,
    UsagePruning,
    ChargeQuota,
  ],
  exports: [QuotaMeter, Usage, UsagePruning, ChargeQuota],
})
export class QuotasModule {}
