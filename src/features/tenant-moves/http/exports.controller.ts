import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Body, Controller, Get, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { BYTES, Operation, Reply } from '../../../platform/http/index.js';
import { Exports } from '../application/exports.js';
import { Moves } from '../application/moves.js';
import { CreateExportDto, MoveDto, statusUrl, toMoveDto } from './moves.dto.js';

/** A client that takes nothing for this long counts as gone. */
const STALL_MS = 60_000;

@Controller('v1/admin/memory')
export class ExportsController {
  constructor(
    private readonly exports: Exports,
    private readonly moves: Moves,
  ) {}

  @Post('export')
  @Operation({
    id: 'tenant-exports.create',
    summary: 'Export a tenant for another region',
    role: 'admin',
    authority: 'operator',
    onTenant: true,
    rateClass: 'mutation',
    cost: 1,
    unmetered: true,
    status: 202,
    body: 'json',
    audit: ['residency.export'],
    errors: ['NOT_FOUND', 'VALIDATION_ERROR', 'residency.not_configured', 'residency.export_in_progress'],
    returns: MoveDto,
  })
  async create(@Body() body: CreateExportDto): Promise<Reply<MoveDto>> {
    const move = await this.exports.start({
      tenantId: body.tenant_id,
      targetRegion: body.target_region,
      include: body.include,
      since: body.since_watermark,
    });
    return new Reply(toMoveDto(move), { headers: { Location: statusUrl(move) } });
  }

  @Get('exports/:id')
  @Operation({
    id: 'tenant-exports.get',
    summary: 'How far an export is',
    role: 'admin',
    authority: 'operator',
    rateClass: 'read',
    cost: 1,
    unmetered: true,
    errors: ['NOT_FOUND'],
    returns: MoveDto,
  })
  async get(@Param('id') id: string): Promise<MoveDto> {
    return toMoveDto(await this.moves.get(id, 'export'));
  }

  @Get('exports/:id/artifact')
  @Operation({
    id: 'tenant-exports.artifact',
    summary: 'Download the archive of an export; only its target region can open it',
    role: 'admin',
    authority: 'operator',
    rateClass: 'read',
    cost: 1,
    unmetered: true,
    response: 'binary',
    errors: ['NOT_FOUND', 'residency.export_not_ready', 'BLOB_STORE_UNAVAILABLE'],
  })
  async artifact(@Param('id') id: string, @Res() response: Response): Promise<void> {
    const bytes = await this.exports.artifact(id);
    response.setTimeout(STALL_MS, () => response.destroy());
    response.writeHead(200, { 'Content-Type': BYTES, 'Cache-Control': 'no-store' });
    // A client that leaves, and an archive that breaks off, end the connection: half of it cannot pass for a whole one.
    await pipeline(Readable.from(bytes, { objectMode: false }), response).catch(() => response.destroy());
  }
}
