/** A passage as ingestion cuts it. */
export interface NewChunk {
  /** Position among the document's passages, from 0. */
  readonly index: number;
  readonly text: string;
  /** What is searched: the text with the headings above it. */
  readonly searchText: string;
  /** `filename`, `content_type`, `offset_start`, `offset_end`, and what else citations should show. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A passage ready to be stored. */
export interface IndexedChunk extends NewChunk {
  readonly id: string;
  /** Of the searched text. */
  readonly contentSha256: string;
  /** Search words with how often the passage has them. */
  readonly terms: ReadonlyMap<string, number>;
}

export interface IndexedDocument {
  readonly documentId: string;
  readonly corpusId: string;
  /** Counts ingestions of the document; searches find one generation at a time. */
  readonly generation: number;
  readonly uri: string;
}
