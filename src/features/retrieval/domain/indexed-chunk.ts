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
