import { Module } from '@nestjs/common';
import { CorporaModule } from '../corpora/index.js';
import { PlansModule } from '../plans/index.js';
import { PolicyBundlesModule } from '../policy-bundles/index.js';
import { RbacAbacModule } from '../rbac-abac/index.js';
import { VectorDbsModule } from '../vector-dbs/index.js';
import { AbandonedGenerations } from './application/abandoned-generations.js';
import { ChunkIndex } from './application/chunk-index.js';
import { EligibleDocuments } from './application/eligible-documents.js';
import { LexicalSearcher } from './application/lexical-search.js';
import { LocalSearch } from './application/local-search.js';
import { Reembedding } from './application/reembedding.js';
import { Retriever } from './application/retriever.js';
import { VectorSearcher } from './application/vector-search.js';
import { SearchController } from './http/search.controller.js';
import { ReembedHandler } from './jobs/reembed.handler.js';
import { ChunksRepository } from './persistence/chunks.repository.js';
import { CorpusIndexesRepository } from './persistence/corpus-indexes.repository.js';
import { EligibleDocumentsRepository } from './persistence/eligible-documents.repository.js';
import { GenerationsRepository } from './persistence/generations.repository.js';
import { LexicalRepository } from './persistence/lexical.repository.js';
import { PassagesRepository } from './persistence/passages.repository.js';
import { VectorsRepository } from './persistence/vectors.repository.js';

@Module({
  imports: [CorporaModule, PlansModule, PolicyBundlesModule, RbacAbacModule, VectorDbsModule],
  controllers: [SearchController],
  providers: [
    ChunksRepository,
    CorpusIndexesRepository,
    EligibleDocumentsRepository,
    GenerationsRepository,
    LexicalRepository,
    PassagesRepository,
    VectorsRepository,
    ChunkIndex,
    AbandonedGenerations,
    EligibleDocuments,
    LexicalSearcher,
    VectorSearcher,
    LocalSearch,
    Reembedding,
    ReembedHandler,
    Retriever,
  ],
  exports: [AbandonedGenerations, ChunkIndex, LocalSearch, Reembedding, ReembedHandler, Retriever],
})
export class RetrievalModule {}
