import { Injectable } from '@nestjs/common';
import { ChunksRepository } from '../persistence/chunks.repository.js';

/** A passage ready to be searched. */
export interface IndexedChunk {
  readonly id: string;
  readonly index: number;
  readonly text: string;
  readonly embedding: readonly number[];
  readonly contentSha256: string;
  /** `filename`, `content_type`, `offset_start`, `offset_end`, and what else citations should show. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface IndexedDocument {
  readonly documentId: string;
  readonly corpusId: string;
  /** Counts ingestions of the document; the index holds chunks of one generation at a time. */
  readonly generation: number;
  readonly uri: string;
  readonly embeddingModel: string;
}

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
