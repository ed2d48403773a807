import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { currentContext } from '../../../kernel/context.js';
import { Clock } from '../../../kernel/time.js';
import { MAX_PAGE, Operation, Reply } from '../../../platform/http/index.js';
import { AdministerKeys } from '../application/administer-keys.js';
import { ApiKeys } from '../application/api-keys.js';
import {
  ApiKeyDto,
  IssuedApiKeyDto,
  ListApiKeysQuery,
  RotateApiKeyDto,
  TenantApiKeysDto,
  toApiKeyDto,
  UpdateApiKeyDto,
} from './api-keys.dto.js';
import { issued } from './issued-key.js';

const DEFAULT_INACTIVE_DAYS = 90;

@Controller('v1/admin/api-keys')
export class ApiKeysController {
  constructor(
    private readonly administer: AdministerKeys,
    private readonly apiKeys: ApiKeys,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Operation({
    id: 'api-keys.list',
    summary: 'List the API keys of the tenant, newest first',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    errors: ['INVALID_CURSOR'],
    returns: TenantApiKeysDto,
  })
  async list(@Query() query: ListApiKeysQuery): Promise<Reply<TenantApiKeysDto>> {
    const { limit = MAX_PAGE, cursor, inactive_days = DEFAULT_INACTIVE_DAYS, include_only_inactive } = query;
    const { items, nextCursor } = await this.apiKeys.list({
      limit,
      ...(cursor === undefined ? {} : { cursor }),
      ...(include_only_inactive === true ? { staleDays: inactive_days } : {}),
    });
    const now = this.clock.now();
    const data = {
      tenant_id: currentContext().tenantId ?? '',
      inactive_days_threshold: inactive_days,
      items: items.map((key) => toApiKeyDto(key, now)),
    };
    return new Reply(data, { nextCursor });
  }

  @Patch(':key_id')
  @Operation({
    id: 'api-keys.update',
    summary: 'Rename, disable, reactivate or revoke an API key, or move its expiry',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    body: 'json',
    audit: ['auth.api_key.updated', 'auth.api_key.deactivated', 'auth.api_key.reactivated', 'auth.api_key.revoked'],
    errors: ['NOT_FOUND', 'CONFLICT', 'KEY_LIMIT_REACHED', 'VALIDATION_ERROR'],
    returns: ApiKeyDto,
  })
  async update(
    @Param('key_id') id: string,
    @Body() { name, expires_at, active, revoke }: UpdateApiKeyDto,
  ): Promise<ApiKeyDto> {
    const key = await this.administer.update(id, {
      ...(name == null ? {} : { name }),
      ...(expires_at === undefined ? {} : { expiresAt: expires_at === null ? null : new Date(expires_at) }),
      ...(active == null ? {} : { active }),
      ...(revoke == null ? {} : { revoke }),
    });
    return toApiKeyDto(key, this.clock.now());
  }

  @Post(':key_id/rotate')
  @Operation({
    id: 'api-keys.rotate',
    summary: 'Replace an API key by a new one of the same user and expiry',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    body: 'json',
    audit: ['auth.api_key.rotated'],
    errors: ['NOT_FOUND', 'CONFLICT', 'KEY_LIMIT_REACHED'],
    returns: IssuedApiKeyDto,
  })
  async rotate(
    @Param('key_id') id: string,
    @Body() { name, overlap_hours }: RotateApiKeyDto,
  ): Promise<Reply<IssuedApiKeyDto>> {
    const made = await this.administer.rotate(id, {
      ...(name == null ? {} : { name }),
      ...(overlap_hours == null ? {} : { overlapHours: overlap_hours }),
    });
    return issued(made, this.clock.now());
  }
}
