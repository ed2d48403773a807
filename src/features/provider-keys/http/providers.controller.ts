import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation, PageQuery } from '../../../platform/http/index.js';
import { Providers } from '../application/providers.js';
import { CHANGE, OFF, READ } from './operations.js';
import { CreateProviderDto, ProviderDto, toProviderDto } from './providers.dto.js';

@Controller('v1/providers')
export class ProvidersController {
  constructor(private readonly providers: Providers) {}

  @Get()
  @Operation({
    ...READ,
    id: 'providers.list',
    summary: 'List the providers of keys with what their keys let happen, newest first',
    errors: [OFF, 'INVALID_CURSOR'],
    returns: [ProviderDto],
  })
  async list(@Query() { limit = MAX_PAGE, cursor }: PageQuery): Promise<Page<ProviderDto>> {
    return (await this.providers.list(limit, cursor)).map(toProviderDto);
  }

  @Post()
  @Operation({
    ...CHANGE,
    id: 'providers.create',
    summary: 'Make a provider of keys',
    body: 'json',
    audit: ['provider.registered'],
    errors: [OFF, 'CONFLICT', 'VALIDATION_ERROR'],
    returns: ProviderDto,
  })
  async create(@Body() { name, attestation_jwks }: CreateProviderDto): Promise<ProviderDto> {
    return toProviderDto(await this.providers.create(name, attestation_jwks));
  }
}
