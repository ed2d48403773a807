import { Body, Controller, Get, Param, Post, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import { commonErrors } from '../../../kernel/common-errors.js';
import { BYTES, Operation, Reply } from '../../../platform/http/index.js';
import { Imports } from '../application/imports.js';
import { Moves } from '../application/moves.js';
import { ImportDto, ImportQuery, MoveDto, statusUrl, toMoveDto } from './moves.dto.js';

@Controller('v1/admin')
export class ImportsController {
  constructor(
    private readonly imports: Imports,
    private readonly moves: Moves,
  ) {}

  /** The archive as the body with the options in the query, or JSON that names one that is here already. */
  @Post('import')
  @Operation({
    id: 'tenant-imports.create',
    summary: 'Import a tenant from the archive that another region made for this one',
    role: 'admin',
    authority: 'operator',
    rateClass: 'mutation',
    cost: 1,
    unmetered: true,
    status: 202,
    body: 'binary',
    audit: ['residency.import'],
    errors: [
      'NOT_FOUND',
      'VALIDATION_ERROR',
      'BLOB_STORE_UNAVAILABLE',
      'residency.not_configured',
      'residency.import_wrong_region',
      'residency.import_invalid',
      'residency.move_in_progress',
    ],
    returns: MoveDto,
  })
  async create(@Query() query: ImportQuery, @Body() body: ImportDto, @Req() request: Request): Promise<Reply<MoveDto>> {
    const { dry_run: dryRun = true, conflict = 'fail', artifact_uri: uri } = { ...query, ...body };
    const options = { dryRun, conflict };
    const move =
      request.is(BYTES) === false
        ? await this.imports.again(named(uri), options)
        : await this.imports.upload(request, options);
    return new Reply(toMoveDto(move), { headers: { Location: statusUrl(move) } });
  }

  @Get('imports/:id')
  @Operation({
    id: 'tenant-imports.get',
    summary: 'How far an import is, and what this region had of the tenant when it ended',
    role: 'admin',
    authority: 'operator',
    rateClass: 'read',
    cost: 1,
    unmetered: true,
    errors: ['NOT_FOUND', 'residency.not_configured'],
    returns: MoveDto,
  })
  async get(@Param('id') id: string): Promise<MoveDto> {
    const move = await this.moves.get(id, 'import');
    return toMoveDto(move, (await this.imports.verification(move)) ?? null);
  }
}

function named(uri: string | undefined): string {
  if (uri !== undefined) return uri;
  throw commonErrors.VALIDATION_ERROR({ message: `Send the archive as ${BYTES}, or name one in artifact_uri.` });
}
