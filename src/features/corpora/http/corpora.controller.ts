import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { etag, MAX_PAGE, Operation, PageQuery, Reply, versionOf } from '../../../platform/http/index.js';
import { Corpora } from '../application/corpora.js';
import type { Corpus } from '../domain/corpus.js';
import { CorpusDto, CreateCorpusDto, DeleteCorpusQuery, toCorpusDto, UpdateCorpusDto } from './corpora.dto.js';

/** Of the vector database that a corpus names. */
const PLACEMENT_ERRORS = ['VECTOR_DB_NOT_FOUND', 'residency.vector_db_mismatch'];

@Controller('v1/corpora')
export class CorporaController {
  constructor(private readonly corpora: Corpora) {}

  @Get()
  @Operation({
    id: 'corpora.list',
    summary: 'List the corpora of the tenant, oldest first',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['INVALID_CURSOR'],
    returns: [CorpusDto],
  })
  async list(@Query() { limit = MAX_PAGE, cursor }: PageQuery): Promise<Page<CorpusDto>> {
    return (await this.corpora.list(limit, cursor)).map(toCorpusDto);
  }

  @Get(':id')
  @Operation({
    id: 'corpora.get',
    summary: 'Get a corpus',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['NOT_FOUND'],
    returns: CorpusDto,
  })
  async get(@Param('id') id: string): Promise<Reply<CorpusDto>> {
    return tagged(await this.corpora.get(id));
  }

  @Post()
  @Operation({
    id: 'corpora.create',
    summary: 'Create a corpus',
    role: 'editor',
    rateClass: 'mutation',
    cost: 1,
    status: 201,
    body: 'json',
    audit: ['corpora.created'],
    errors: ['CONFLICT', 'VALIDATION_ERROR', 'FEATURE_NOT_ENABLED', ...PLACEMENT_ERRORS],
    returns: CorpusDto,
  })
  async create(@Body() { id, name, provider_config_json }: CreateCorpusDto): Promise<Reply<CorpusDto>> {
    const corpus = await this.corpora.create({
      name,
      ...(id == null ? {} : { id }),
      ...(provider_config_json == null ? {} : { providerConfig: provider_config_json }),
    });
    return tagged(corpus, { Location: `/v1/corpora/${corpus.id}` });
  }

  @Patch(':id')
  @Operation({
    id: 'corpora.update',
    summary: 'Change the name or the retrieval provider of a corpus',
    role: 'editor',
    rateClass: 'mutation',
    cost: 1,
    body: 'json',
    audit: ['corpora.updated'],
    errors: [
      'NOT_FOUND',
      'CONFLICT',
      'VALIDATION_ERROR',
      'PRECONDITION_FAILED',
      'FEATURE_NOT_ENABLED',
      'CORPUS_ATTACHED',
      ...PLACEMENT_ERRORS,
    ],
    returns: CorpusDto,
  })
  async update(
    @Param('id') id: string,
    @Body() { name, provider_config_json }: UpdateCorpusDto,
    @Headers('if-match') ifMatch?: string,
  ): Promise<Reply<CorpusDto>> {
    const changes = {
      ...(name == null ? {} : { name }),
      ...(provider_config_json == null ? {} : { providerConfig: provider_config_json }),
    };
    return tagged(await this.corpora.update(id, changes, versionOf(ifMatch)));
  }

  @Delete(':id')
  @Operation({
    id: 'corpora.delete',
    summary: 'Delete a corpus',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    status: 204,
    response: 'empty',
    audit: ['corpora.deleted', 'documents.deleted', 'vector_db.attachment.detached'],
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  async delete(@Param('id') id: string, @Query() { cascade }: DeleteCorpusQuery): Promise<void> {
    await this.corpora.delete(id, cascade === true);
  }
}

function tagged(corpus: Corpus, headers: Record<string, string> = {}): Reply<CorpusDto> {
  return new Reply(toCorpusDto(corpus), { headers: { ETag: etag(corpus.version), ...headers } });
}
