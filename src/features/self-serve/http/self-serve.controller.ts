import { Controller, Get, Query } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import { PlanReport } from '../application/plan-report.js';
import { UsageReports } from '../application/usage-reports.js';
import {
  OwnPlanDto,
  toOwnPlanDto,
  toUsageSummaryDto,
  UsageSeriesDto,
  UsageSeriesQuery,
  UsageSummaryDto,
  UsageSummaryQuery,
} from './self-serve.dto.js';

const DEFAULT_DAYS = 30;

@Controller('v1/self-serve')
export class SelfServeController {
  constructor(
    private readonly usage: UsageReports,
    private readonly plan: PlanReport,
  ) {}

  @Get('usage/summary')
  @Operation({
    id: 'self-serve.usageSummary',
    summary: 'Sum up what the tenant used in the last days',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    audit: ['selfserve.usage.viewed'],
    returns: UsageSummaryDto,
  })
  async summary(@Query() { window_days = DEFAULT_DAYS }: UsageSummaryQuery): Promise<UsageSummaryDto> {
    return toUsageSummaryDto(window_days, await this.usage.summary(window_days));
  }

  @Get('usage/timeseries')
  @Operation({
    id: 'self-serve.usageSeries',
    summary: 'Count the requests of each of the last days',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    audit: ['selfserve.usage.viewed'],
    returns: UsageSeriesDto,
  })
  async series(
    @Query() { metric = 'requests', granularity = 'day', days = DEFAULT_DAYS }: UsageSeriesQuery,
  ): Promise<UsageSeriesDto> {
    return { metric, granularity, points: await this.usage.timeseries(days) };
  }

  @Get('plan')
  @Operation({
    id: 'self-serve.plan',
    summary: 'Get the plan of the tenant, its features and its quota',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    unmetered: true,
    audit: ['selfserve.plan.viewed'],
    returns: OwnPlanDto,
  })
  async current(): Promise<OwnPlanDto> {
    return toOwnPlanDto(await this.plan.current());
  }
}
