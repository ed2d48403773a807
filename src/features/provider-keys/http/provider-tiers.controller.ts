import { Body, Controller, Delete, Get, Param, Put } from '@nestjs/common';
import { invalidRequest, Operation } from '../../../platform/http/index.js';
import { ProviderTiers } from '../application/provider-tiers.js';
import { CHANGE } from './operations.js';
import { PutTierDto, TierDto, toTierDto } from './providers.dto.js';

const TIER = /^(classification|plan):[A-Za-z0-9._-]{1,64}$/;

/** They stay while keys are switched off: whoever relies on none must be able to say so. */
@Controller('v1/admin/provider-tiers')
export class ProviderTiersController {
  constructor(private readonly tiers: ProviderTiers) {}

  @Get(':tier')
  @Operation({
    ...CHANGE,
    rateClass: 'read',
    id: 'provider-tiers.get',
    summary: 'Get whether a classification or a plan needs a key',
    errors: ['NOT_FOUND'],
    returns: TierDto,
  })
  async get(@Param('tier') tier: string): Promise<TierDto> {
    return toTierDto(await this.tiers.get(tier));
  }

  @Put(':tier')
  @Operation({
    ...CHANGE,
    id: 'provider-tiers.put',
    summary: 'Decide whether a classification or a plan needs a key, and of which provider',
    body: 'json',
    audit: ['provider_tier.updated'],
    errors: ['NOT_FOUND'],
    returns: TierDto,
  })
  async put(@Param('tier') tier: string, @Body() { provider_id, byok_required }: PutTierDto): Promise<TierDto> {
    if (!TIER.test(tier)) {
      const msg = 'tier must be classification:<name> or plan:<id>';
      throw invalidRequest([{ loc: ['path', 'tier'], msg, type: 'pattern' }]);
    }
    return toTierDto(await this.tiers.put(tier, provider_id, byok_required === true));
  }

  @Delete(':tier')
  @Operation({
    ...CHANGE,
    id: 'provider-tiers.delete',
    summary: 'Forget what was decided about a classification or a plan',
    status: 204,
    response: 'empty',
    audit: ['provider_tier.deleted'],
    errors: ['NOT_FOUND'],
  })
  async delete(@Param('tier') tier: string): Promise<void> {
    await this.tiers.delete(tier);
  }
}
