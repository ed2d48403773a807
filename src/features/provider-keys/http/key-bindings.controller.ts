import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation, PageQuery, UuidParam } from '../../../platform/http/index.js';
import { BindingOfKeys } from '../application/binding-of-keys.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { CHANGE, NAMED, READ } from './operations.js';
import { BindingDto, BindKeyDto, RevokeBindingDto, toBindingDto } from './provider-keys.dto.js';

@Controller('v1/providers/:provider_id/keys/:key_id/bindings')
export class KeyBindingsController {
  constructor(private readonly bindings: BindingOfKeys) {}

  @Get()
  @Operation({
    ...READ,
    id: 'key-bindings.list',
    summary: 'List the bindings of a key, newest first, revoked ones included',
    errors: [...NAMED, 'INVALID_CURSOR'],
    returns: [BindingDto],
  })
  async list(
    @Param('provider_id', UuidParam) providerId: string,
    @Param('key_id', UuidParam) keyId: string,
    @Query() { limit = MAX_PAGE, cursor }: PageQuery,
  ): Promise<Page<BindingDto>> {
    return (await this.bindings.list(providerId, keyId, limit, cursor)).map(toBindingDto);
  }

  @Post()
  @Operation({
    ...CHANGE,
    id: 'key-bindings.create',
    summary: 'Bind a key to what it is used for',
    body: 'json',
    audit: ['provider_key.binding_attached'],
    errors: [...NAMED, 'BINDING_TYPE_REQUIRED', 'PROVIDER_KEY_NOT_USABLE', 'BINDING_ALREADY_EXISTS'],
    returns: BindingDto,
  })
  async create(
    @Param('provider_id', UuidParam) providerId: string,
    @Param('key_id', UuidParam) keyId: string,
    @Body() { binding_type, binding_target_id, additional_context }: BindKeyDto,
  ): Promise<BindingDto> {
    if (binding_type == null || binding_type.trim() === '') throw providerKeysErrors.BINDING_TYPE_REQUIRED();
    const target = { type: binding_type, targetId: binding_target_id, scope: additional_context ?? {} };
    return toBindingDto(await this.bindings.bind(providerId, keyId, target));
  }

  @Post(':binding_id/revoke')
  @Operation({
    ...CHANGE,
    id: 'key-bindings.revoke',
    summary: 'Revoke a binding of a key',
    body: 'json',
    audit: ['provider_key.binding_revoked'],
    errors: [...NAMED, 'BINDING_ALREADY_REVOKED'],
    returns: BindingDto,
  })
  async revoke(
    @Param('provider_id', UuidParam) providerId: string,
    @Param('key_id', UuidParam) keyId: string,
    @Param('binding_id', UuidParam) bindingId: string,
    @Body() { reason }: RevokeBindingDto,
  ): Promise<BindingDto> {
    return toBindingDto(await this.bindings.revoke(providerId, keyId, bindingId, reason ?? null));
  }
}
