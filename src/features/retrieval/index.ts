export { AbandonedGenerations } from './application/abandoned-generations.js';
export { ChunkIndex } from './application/chunk-index.js';
export { LocalSearch, type LocalQuery } from './application/local-search.js';
export { Retriever, type Retrieval, type RetrievalRequest } from './application/retriever.js';
export type { IndexedDocument, NewChunk } from './domain/indexed-chunk.js';
export { acceptMetadataFilter, type MetadataFilter } from './domain/metadata-filter.js';
export type { Passage } from './domain/passage.js';
export { ReembedHandler } from './jobs/reembed.handler.js';
export { ChunkEntity } from './persistence/chunk.entity.js';
export {
  ChunkEmbeddingEntity,
  CorpusIndexEntity,
  CorpusTermEntity,
  HiddenGenerationEntity,
} from './persistence/search-index.entities.js';
export { retrievalAudit } from './retrieval.audit.js';
export { retrievalErrors } from './retrieval.errors.js';
export { reembedJob } from './retrieval.jobs.js';
export { RetrievalModule } from './retrieval.module.js';
export { retrievalSettings } from './retrieval.settings.js';
