import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { isInstant, MAX_PAGE, Operation, PageQuery, UuidParam } from '../../../platform/http/index.js';
import { Attestations } from '../application/attestations.js';
import { ProviderKeys } from '../application/provider-keys.js';
import { RegisterKey } from '../application/register-key.js';
import { RevokeKey } from '../application/revoke-key.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { CHANGE, NAMED, READ, UNATTESTED } from './operations.js';
import { KeyDetailsDto, KeyDto, RegisterKeyDto, RevokeKeyDto, toKeyDetailsDto, toKeyDto } from './provider-keys.dto.js';

@Controller('v1/providers/:provider_id/keys')
export class ProviderKeysController {
  constructor(
    private readonly keys: ProviderKeys,
    private readonly registration: RegisterKey,
    private readonly revocation: RevokeKey,
    private readonly attestations: Attestations,
  ) {}

  @Get()
  @Operation({
    ...READ,
    id: 'provider-keys.list',
    summary: 'List the keys of a provider, newest first',
    errors: [...NAMED, 'INVALID_CURSOR'],
    returns: [KeyDto],
  })
  async list(
    @Param('provider_id', UuidParam) providerId: string,
    @Query() { limit = MAX_PAGE, cursor }: PageQuery,
  ): Promise<Page<KeyDto>> {
    return (await this.keys.list(providerId, limit, cursor)).map(toKeyDto);
  }

  @Get(':key_id')
  @Operation({
    ...READ,
    id: 'provider-keys.get',
    summary: 'Get a key with its rotations and the number of its bindings',
    errors: NAMED,
    returns: KeyDetailsDto,
  })
  async get(
    @Param('provider_id', UuidParam) providerId: string,
    @Param('key_id', UuidParam) keyId: string,
  ): Promise<KeyDetailsDto> {
    return toKeyDetailsDto(await this.keys.get(providerId, keyId));
  }

  @Post()
  @Operation({
    ...CHANGE,
    id: 'provider-keys.register',
    summary: 'Register a key that you hold, with a provider that is made when there is none',
    body: 'json',
    audit: ['provider.registered', 'provider_key.registered'],
    errors: [...NAMED, ...UNATTESTED, 'ROTATION_DUE_INVALID', 'CONFLICT'],
    returns: KeyDto,
  })
  async register(@Param('provider_id', UuidParam) providerId: string, @Body() body: RegisterKeyDto): Promise<KeyDto> {
    const attestation = this.attestations.accept(body.attestation_digest, body.attestation_signature);
    const key = await this.registration.register(providerId, {
      attestation,
      alias: body.alias ?? null,
      rotationDueAt: deadline(body.rotation_due_at) ?? null,
      keyRef: body.key_ref ?? null,
      keyRefProvider: body.key_ref_provider ?? null,
    });
    return toKeyDto(key);
  }

  @Post(':key_id/revocations')
  @Operation({
    ...CHANGE,
    id: 'provider-keys.revoke',
    summary: 'Retire a key, or mark it as compromised',
    body: 'json',
    audit: ['provider_key.revocation_initiated', 'provider_key.revocation_completed'],
    errors: [...NAMED, 'PROVIDER_KEY_VERSION_CONFLICT', 'PROVIDER_KEY_ALREADY_REVOKED'],
    returns: KeyDto,
  })
  async revoke(
    @Param('provider_id', UuidParam) providerId: string,
    @Param('key_id', UuidParam) keyId: string,
    @Body() { reason, mark_compromised, expected_version }: RevokeKeyDto,
  ): Promise<KeyDto> {
    const revoked = await this.revocation.revoke(providerId, keyId, {
      reason: reason ?? null,
      compromised: mark_compromised === true,
      expectedVersion: expected_version ?? undefined,
    });
    return toKeyDto(revoked);
  }
}

/** Undefined when none is given. @throws ROTATION_DUE_INVALID */
export function deadline(given: string | null | undefined): Date | undefined {
  if (given == null) return undefined;
  if (!isInstant(given)) throw providerKeysErrors.ROTATION_DUE_INVALID();
  return new Date(given);
}
