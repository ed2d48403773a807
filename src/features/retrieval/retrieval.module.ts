import { Module } from '@nestjs/common';
import { ChunkIndex } from './application/chunk-index.js';
import { LocalRetrieval } from './application/local-retrieval.js';
import { Retriever } from './application/retriever.js';
import { ChunksRepository } from './persistence/chunks.repository.js';

@Module({
  providers: [ChunksRepository, ChunkIndex, LocalRetrieval, Retriever],
  exports: [ChunkIndex, Retriever],
})
export class RetrievalModule {}
