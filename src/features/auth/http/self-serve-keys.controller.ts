import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import { MAX_PAGE, Operation, PageQuery, Reply } from '../../../platform/http/index.js';
import { AdministerKeys } from '../application/administer-keys.js';
import { KeyReports } from '../application/key-reports.js';
import {
  ApiKeyDto,
  ApiKeysDto,
  CreateApiKeyDto,
  InactiveKeysDto,
  InactiveKeysQuery,
  IssuedApiKeyDto,
  toApiKeyDto,
} from './api-keys.dto.js';
import { issued } from './issued-key.js';

@Controller('v1/self-serve/api-keys')
export class SelfServeKeysController {
  constructor(
    private readonly administer: AdministerKeys,
    private readonly reports: KeyReports,
    private readonly clock: Clock,
  ) {}

  @Post()
  @Operation({
    id: 'self-serve.createKey',
    summary: 'Create an API key; it is shown this once',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    body: 'json',
    audit: ['selfserve.api_key.created'],
    errors: ['KEY_LIMIT_REACHED'],
    returns: IssuedApiKeyDto,
  })
  async create(@Body() { name, role, expires_in_days }: CreateApiKeyDto): Promise<Reply<IssuedApiKeyDto>> {
    const made = await this.administer.create({
      role,
      ...(name == null ? {} : { name }),
      ...(expires_in_days == null ? {} : { expiresInDays: expires_in_days }),
    });
    return issued(made, this.clock.now());
  }

  @Get()
  @Operation({
    id: 'self-serve.listKeys',
    summary: 'List the API keys of the tenant, newest first',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    audit: ['selfserve.api_key.listed'],
    errors: ['INVALID_CURSOR'],
    returns: ApiKeysDto,
  })
  async list(@Query() { limit = MAX_PAGE, cursor }: PageQuery): Promise<Reply<ApiKeysDto>> {
    const { items, nextCursor } = await this.reports.listed({ limit, ...(cursor === undefined ? {} : { cursor }) });
    const now = this.clock.now();
    return new Reply({ items: items.map((key) => toApiKeyDto(key, now)) }, { nextCursor });
  }

  @Get('inactive-report')
  @Operation({
    id: 'self-serve.inactiveKeys',
    summary: 'List the API keys that are unused or expired and not revoked',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    audit: ['selfserve.api_key.inactive_reported'],
    errors: ['INVALID_CURSOR'],
    returns: InactiveKeysDto,
  })
  async inactive(
    @Query() { limit = MAX_PAGE, cursor, inactive_days }: InactiveKeysQuery,
  ): Promise<Reply<InactiveKeysDto>> {
    const { threshold, found } = await this.reports.inactive({
      limit,
      ...(cursor === undefined ? {} : { cursor }),
      ...(inactive_days === undefined ? {} : { staleDays: inactive_days }),
    });
    const now = this.clock.now();
    const data = { inactive_days_threshold: threshold, items: found.items.map((key) => toApiKeyDto(key, now)) };
    return new Reply(data, { nextCursor: found.nextCursor });
  }

  @Post(':key_id/revoke')
  @Operation({
    id: 'self-serve.revokeKey',
    summary: 'Revoke an API key for good; revoking it again changes nothing',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    audit: ['selfserve.api_key.revoked'],
    errors: ['NOT_FOUND', 'CONFLICT'],
    returns: ApiKeyDto,
  })
  async revoke(@Param('key_id') id: string): Promise<ApiKeyDto> {
    return toApiKeyDto(await this.administer.revoke(id), this.clock.now());
  }
}
