import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation, PageQuery } from '../../../platform/http/index.js';
import { DeleteVectorDb } from '../application/delete-vector-db.js';
import { VectorDbs } from '../application/vector-dbs.js';
import { vectorDbIdIn } from './path-ids.js';
import { OF_ONE, READ, WRITE } from './route-kinds.js';
import {
  CreateVectorDbDto,
  DeleteVectorDbQuery,
  toVectorDbDetailsDto,
  toVectorDbDto,
  VectorDbDetailsDto,
  VectorDbDto,
} from './vector-dbs.dto.js';

@Controller('v1/vector-dbs')
export class VectorDbsController {
  constructor(
    private readonly dbs: VectorDbs,
    private readonly deletion: DeleteVectorDb,
  ) {}

  @Get()
  @Operation({
    ...READ,
    id: 'vector-dbs.list',
    summary: 'List your vector databases, oldest first',
    errors: ['INVALID_CURSOR'],
    returns: [VectorDbDto],
  })
  async list(@Query() { limit = MAX_PAGE, cursor }: PageQuery): Promise<Page<VectorDbDto>> {
    return (await this.dbs.list(limit, cursor)).map(toVectorDbDto);
  }

  @Post()
  @Operation({
    ...WRITE,
    id: 'vector-dbs.create',
    summary: 'Register a vector database',
    audit: ['vector_db.created'],
    errors: ['VALIDATION_ERROR'],
    returns: VectorDbDto,
  })
  async create(@Body() { name, db_type, region, url }: CreateVectorDbDto): Promise<VectorDbDto> {
    const dbType = db_type ?? 'chroma';
    return toVectorDbDto(await this.dbs.create({ name, dbType, region: region ?? null, url: url ?? null }));
  }

  @Get(':id')
  @Operation({
    ...READ,
    id: 'vector-dbs.get',
    summary: 'Get a vector database with what is attached and open',
    errors: OF_ONE,
    returns: VectorDbDetailsDto,
  })
  async get(@Param('id') id: string): Promise<VectorDbDetailsDto> {
    return toVectorDbDetailsDto(await this.dbs.get(vectorDbIdIn(id)));
  }

  @Delete(':id')
  @Operation({
    id: 'vector-dbs.delete',
    summary: 'Delete a vector database; its attachments and incidents are kept as evidence',
    role: 'editor',
    rateClass: 'mutation',
    cost: 1,
    feature: 'feature.vector_db_governance',
    status: 204,
    response: 'empty',
    audit: ['vector_db.deleted', 'vector_db.attachment.detached'],
    errors: [...OF_ONE, 'VECTOR_DB_HAS_ACTIVE_ATTACHMENTS'],
  })
  async delete(@Param('id') id: string, @Query() { force }: DeleteVectorDbQuery): Promise<void> {
    await this.deletion.delete(vectorDbIdIn(id), force === true);
  }
}
