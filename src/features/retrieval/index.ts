export { ChunkIndex } from './application/chunk-index.js';
export type { IndexedChunk, IndexedDocument } from './domain/indexed-chunk.js';
export { Retriever, type Retrieval } from './application/retriever.js';
export type { Passage } from './domain/passage.js';
export { ChunkEntity } from './persistence/chunk.entity.js';
export { retrievalErrors } from './retrieval.errors.js';
export { RetrievalModule } from './retrieval.module.js';
export { retrievalSettings } from './retrieval.settings.js';
