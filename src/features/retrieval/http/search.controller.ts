import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { Operation } from '../../../platform/http/index.js';
import { Corpora, CorpusRules } from '../../corpora/index.js';
import { GATE_ERRORS, VectorDbAccess } from '../../vector-dbs/index.js';
import { Reembedding } from '../application/reembedding.js';
import { Retriever } from '../application/retriever.js';
import { parseMetadataFilter } from '../domain/metadata-filter.js';
import { CorpusIndexDto, SearchQuery, SearchResultDto, toIndexDto, toSearchResult } from './search.dto.js';

const PLACE_ERRORS = ['residency.provider_mismatch', 'residency.egress_blocked'];
const MODEL_ERRORS = ['EMBEDDING_CONFIG_MISSING', 'EMBEDDING_ERROR', 'INTEGRATION_UNAVAILABLE', 'RERANK_ERROR'];

@Controller('v1/corpora')
export class SearchController {
  constructor(
    private readonly corpora: Corpora,
    private readonly rules: CorpusRules,
    private readonly retriever: Retriever,
    private readonly access: VectorDbAccess,
    private readonly reembedding: Reembedding,
  ) {}

  @Get(':id/search')
  @Operation({
    id: 'corpora.search',
    summary: 'Search a corpus; no model answers',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: [
      'NOT_FOUND',
      'FEATURE_NOT_ENABLED',
      'RETRIEVAL_CONFIG_INVALID',
      'RETRIEVAL_ERROR',
      ...PLACE_ERRORS,
      'POLICY_UNAVAILABLE',
      ...MODEL_ERRORS,
      ...GATE_ERRORS,
    ],
    returns: SearchResultDto,
  })
  async search(@Param('id') id: string, @Query() { q, top_k, filter: given }: SearchQuery): Promise<SearchResultDto> {
    const parsed = given === undefined ? { ok: true as const, filter: {} } : parseMetadataFilter(given);
    if (!parsed.ok) {
      const errors = [{ loc: ['query', 'filter'], msg: parsed.reason, type: 'filter' }];
      throw commonErrors.REQUEST_VALIDATION_ERROR({ details: { errors } });
    }
    const corpus = await this.corpora.get(id);
    (await this.rules.current()).admitUse(corpus, 'search');
    await this.access.require(corpus, 'retrieve');
    const topK = this.retriever.topK(corpus, top_k);
    const { passages } = await this.retriever.retrieve(corpus, {
      query: q,
      topK,
      reader: 'principal',
      filter: parsed.filter,
    });
    return toSearchResult(passages, topK);
  }

  @Get(':id/index')
  @Operation({
    id: 'corpora.index',
    summary: 'Which embedding model a corpus is searched with',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['NOT_FOUND'],
    returns: CorpusIndexDto,
  })
  async index(@Param('id') id: string): Promise<CorpusIndexDto> {
    return toIndexDto(id, await this.reembedding.state(id));
  }

  @Post(':id/reembed')
  @Operation({
    id: 'corpora.reembed',
    summary: 'Move a corpus to the embedding model that is configured, without an interruption',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    status: 202,
    audit: ['corpora.reembed.enqueued'],
    errors: ['NOT_FOUND', ...PLACE_ERRORS, ...GATE_ERRORS],
    returns: CorpusIndexDto,
  })
  async reembed(@Param('id') id: string): Promise<CorpusIndexDto> {
    await this.rules.requireIngest(id);
    await this.access.require(await this.corpora.get(id), 'reindex');
    return toIndexDto(id, await this.reembedding.start(id));
  }
}
