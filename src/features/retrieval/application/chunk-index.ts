import { Injectable } from '@nestjs/common';
import type { IndexedChunk, IndexedDocument } from '../domain/indexed-chunk.js';
import { ChunksRepository } from '../persistence/chunks.repository.js';

/** What is searched. Both calls join the transaction of the document's own change. */
@Injectable()
export class ChunkIndex {
  constructor(private readonly chunks: ChunksRepository) {}

  /** Puts the new generation in place of whatever was there; searches see the old one until the commit. */
  async replace(document: IndexedDocument, chunks: readonly IndexedChunk[]): Promise<void> {
    await this.chunks.deleteOf([document.documentId]);
    await this.chunks.insert(document, chunks);
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    await this.chunks.deleteOf(documentIds);
  }
}
