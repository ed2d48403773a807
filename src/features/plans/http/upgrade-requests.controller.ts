import { Body, Controller, Post } from '@nestjs/common';
import { currentContext } from '../../../kernel/context.js';
import { Operation } from '../../../platform/http/index.js';
import { UpgradeRequests } from '../application/upgrade-requests.js';
import { RequestUpgradeDto, UpgradeRequestDto } from './plans.dto.js';

@Controller('v1/self-serve/plan')
export class UpgradeRequestsController {
  constructor(private readonly requests: UpgradeRequests) {}

  @Post('upgrade-request')
  @Operation({
    id: 'plans.requestUpgrade',
    summary: 'Ask for a larger plan',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    unmetered: true,
    status: 202,
    body: 'json',
    audit: ['plan.upgrade_requested'],
    errors: ['NOT_FOUND'],
    returns: UpgradeRequestDto,
  })
  async request(@Body() { target_plan, reason }: RequestUpgradeDto): Promise<UpgradeRequestDto> {
    const actor = currentContext().principal?.apiKeyId ?? 'system';
    return { request_id: await this.requests.open(target_plan, reason ?? null, actor), status: 'pending' };
  }
}
