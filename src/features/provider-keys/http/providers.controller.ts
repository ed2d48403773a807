import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation, PageQuery, UuidParam } from '../../../platform/http/index.js';
import { ChangeSigners } from '../application/change-signers.js';
import { Providers } from '../application/providers.js';
import { CHANGE, NAMED, OFF, READ } from './operations.js';
import { ChangeProviderDto, CreateProviderDto, ProviderDto, toProviderDto } from './providers.dto.js';

@Controller('v1/providers')
export class ProvidersController {
  constructor(
    private readonly providers: Providers,
    private readonly signers: ChangeSigners,
  ) {}

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

  @Patch(':provider_id')
  @Operation({
    ...CHANGE,
    id: 'providers.update',
    summary: 'Decide who signs the attestations of a provider',
    body: 'json',
    audit: ['provider.updated', 'provider_key.activation_approved'],
    errors: [...NAMED, 'VALIDATION_ERROR'],
    returns: ProviderDto,
  })
  async update(
    @Param('provider_id', UuidParam) id: string,
    @Body() { attestation_jwks }: ChangeProviderDto,
  ): Promise<ProviderDto> {
    await this.signers.change(id, attestation_jwks);
    return toProviderDto(await this.providers.get(id));
  }
}
