import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { Operation, Reply } from '../../../platform/http/index.js';
import { Limits } from '../application/limits.js';
import { Usage } from '../application/usage.js';
import { changesOf, QuotaDto, toQuotaDto, toUsageDto, UpdateQuotaDto, UsageDto, UsageQuery } from './quotas.dto.js';

/** The path names the caller's own tenant; the role check has refused any other. */
@Controller('v1/admin')
export class QuotasController {
  constructor(
    private readonly limits: Limits,
    private readonly usage: Usage,
  ) {}

  @Get('quotas/:tenant')
  @Operation({
    id: 'quotas.get',
    summary: 'Get the limits of the tenant',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    unmetered: true,
    errors: ['NOT_FOUND'],
    returns: QuotaDto,
  })
  async get(@Param('tenant') tenant: string): Promise<QuotaDto> {
    return toQuotaDto(tenant, await this.limits.get());
  }

  @Patch('quotas/:tenant')
  @Operation({
    id: 'quotas.update',
    summary: 'Change limits of the tenant; what is absent stays, null is unlimited',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    unmetered: true,
    body: 'json',
    audit: ['quota.limits.updated'],
    errors: ['NOT_FOUND', 'PLATFORM_OPERATOR_REQUIRED'],
    returns: QuotaDto,
  })
  async update(@Param('tenant') tenant: string, @Body() changes: UpdateQuotaDto): Promise<Reply<QuotaDto>> {
    const limits = toQuotaDto(tenant, await this.limits.update(changesOf(changes)));
    return new Reply(limits, { headers: warningOf(limits) });
  }

  @Get('usage/:tenant')
  @Operation({
    id: 'usage.get',
    summary: 'Get the units that the tenant used in a day or month',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    errors: ['NOT_FOUND'],
    returns: UsageDto,
  })
  async used(@Param('tenant') tenant: string, @Query() { period = 'day', start }: UsageQuery): Promise<UsageDto> {
    const found = await this.usage.ofPeriod(period, new Date(`${start}T00:00:00Z`));
    return toUsageDto(tenant, found.period, found.units);
  }
}

/** A month that ends before its first day does is most likely a mistake, but not a wrong request. */
function warningOf({ daily_requests_limit: daily, monthly_requests_limit: monthly }: QuotaDto): Record<string, string> {
  const dailyIsIdle = monthly !== null && (daily ?? Infinity) > monthly;
  return dailyIsIdle ? { Warning: '299 - "The daily limit is above the monthly one and never takes effect."' } : {};
}
