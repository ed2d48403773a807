import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { Operation, Reply } from '../../../platform/http/index.js';
import { Migrations } from '../application/migrations.js';
import { Moves } from '../application/moves.js';
import { Purges } from '../application/purges.js';
import {
  AdvanceMigrationDto,
  CreateMigrationDto,
  MigrationDto,
  MoveDto,
  PurgeDto,
  PurgePreviewDto,
  statusUrl,
  TargetTenantDto,
  toMigrationDto,
  toMoveDto,
  toPurgePreviewDto,
} from './moves.dto.js';

const OPERATORS = { role: 'admin', authority: 'operator', cost: 1, unmetered: true } as const;

@Controller('v1/admin/residency')
export class ResidencyMovesController {
  constructor(
    private readonly migrations: Migrations,
    private readonly purges: Purges,
    private readonly moves: Moves,
  ) {}

  @Post('migrations')
  @Operation({
    ...OPERATORS,
    id: 'tenant-migrations.create',
    summary: 'Plan the migration of a tenant to another region',
    onTenant: true,
    rateClass: 'mutation',
    status: 201,
    body: 'json',
    audit: ['residency.migration.planned'],
    errors: ['NOT_FOUND', 'residency.not_configured', 'residency.move_in_progress'],
    returns: MigrationDto,
  })
  async create(@Body() { tenant_id, target_region }: CreateMigrationDto): Promise<Reply<MigrationDto>> {
    const migration = await this.migrations.create(tenant_id, target_region);
    const headers = { Location: `/v1/admin/residency/migrations/${migration.id}` };
    return new Reply(toMigrationDto(migration), { headers });
  }

  @Get('migrations/:id')
  @Operation({
    ...OPERATORS,
    id: 'tenant-migrations.get',
    summary: 'How far a migration is',
    rateClass: 'read',
    errors: ['NOT_FOUND'],
    returns: MigrationDto,
  })
  async get(@Param('id') id: string): Promise<MigrationDto> {
    return toMigrationDto(await this.moves.get(id, 'migration'));
  }

  @Post('migrations/:id/advance')
  @Operation({
    ...OPERATORS,
    id: 'tenant-migrations.advance',
    summary: 'Take the next step of a migration',
    rateClass: 'mutation',
    body: 'json',
    audit: [
      'residency.migration.exporting',
      'residency.migration.importing',
      'residency.migration.verifying',
      'residency.migration.frozen',
      'residency.migration.delta_sync',
      'residency.migration.cutover',
      'residency.migration.cooldown',
      'residency.export',
    ],
    errors: [
      'NOT_FOUND',
      'residency.illegal_transition',
      'residency.not_configured',
      'residency.export_in_progress',
      'residency.export_not_ready',
      'residency.verification_required',
      'residency.checksum_mismatch',
      'residency.not_settled',
    ],
    returns: MigrationDto,
  })
  async advance(@Param('id') id: string, @Body() { verification }: AdvanceMigrationDto): Promise<MigrationDto> {
    return toMigrationDto(await this.migrations.advance(id, verification));
  }

  @Post('migrations/:id/abort')
  @Operation({
    ...OPERATORS,
    id: 'tenant-migrations.abort',
    summary: 'Give up a migration before its cutover, or take it back once the tenant is pinned here again',
    rateClass: 'mutation',
    audit: ['residency.migration.aborted', 'residency.migration.rolled_back'],
    errors: ['NOT_FOUND', 'residency.illegal_transition', 'residency.not_configured'],
    returns: MigrationDto,
  })
  async abort(@Param('id') id: string): Promise<MigrationDto> {
    return toMigrationDto(await this.migrations.abort(id));
  }

  @Post('purge/preview')
  @Operation({
    ...OPERATORS,
    id: 'tenant-purges.preview',
    summary: 'Count what a purge of a moved tenant would delete',
    onTenant: true,
    rateClass: 'mutation',
    body: 'json',
    audit: ['residency.purge.previewed'],
    errors: [
      'NOT_FOUND',
      'LEGAL_HOLD_ACTIVE',
      'residency.not_configured',
      'residency.purge_not_migrated',
      'residency.checksum_mismatch',
      'residency.move_in_progress',
    ],
    returns: PurgePreviewDto,
  })
  async preview(@Body() { tenant_id }: TargetTenantDto): Promise<PurgePreviewDto> {
    return toPurgePreviewDto(await this.purges.preview(tenant_id));
  }

  @Post('purge')
  @Operation({
    ...OPERATORS,
    id: 'tenant-purges.create',
    summary: 'Delete a tenant that has moved to another region',
    rateClass: 'mutation',
    status: 202,
    body: 'json',
    audit: ['residency.purge'],
    errors: [
      'BAD_REQUEST',
      'LEGAL_HOLD_ACTIVE',
      'residency.purge_token_invalid',
      'residency.purge_second_operator',
      'residency.purge_count_changed',
      'residency.checksum_mismatch',
      'residency.not_configured',
      'residency.purge_not_migrated',
    ],
    returns: MoveDto,
  })
  async purge(@Body() body: PurgeDto): Promise<Reply<MoveDto>> {
    const move = await this.purges.start({
      token: body.purge_token,
      confirm: body.confirm === true,
      expectedCount: body.expected_count,
      reason: body.reason,
    });
    return new Reply(toMoveDto(move), { headers: { Location: statusUrl(move) } });
  }

  @Get('purges/:id')
  @Operation({
    ...OPERATORS,
    id: 'tenant-purges.get',
    summary: 'How far a purge is; once it has succeeded, where the tenant went and how much was deleted',
    rateClass: 'read',
    errors: ['NOT_FOUND'],
    returns: MoveDto,
  })
  async getPurge(@Param('id') id: string): Promise<MoveDto> {
    return toMoveDto(await this.moves.get(id, 'purge'));
  }
}
