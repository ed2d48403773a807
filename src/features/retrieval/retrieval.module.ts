import { Module } from '@nestjs/common';
import { Settings } from '../../kernel/settings.js';
import { ChunkIndex } from './application/chunk-index.js';
import { LocalRetrieval } from './application/local-retrieval.js';
import { Retriever } from './application/retriever.js';
import { ChunksRepository } from './persistence/chunks.repository.js';
import { retrievalSettings } from './retrieval.settings.js';

@Module({
  providers: [
    ChunksRepository,
    ChunkIndex,
    LocalRetrieval,
    {
      provide: Retriever,
      inject: [LocalRetrieval, Settings],
      useFactory: (local: LocalRetrieval, settings: Settings) => new Retriever(local, settings.get(retrievalSettings)),
    },
  ],
  exports: [ChunkIndex, Retriever],
})
export class RetrievalModule {}
