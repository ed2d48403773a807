import type { ChunkParams } from './chunker.js';
import type { DocumentStatus } from './document-status.js';

export type IngestSource = 'upload_file' | 'raw_text';
export type ChunkerVersion = 'v1';

/** One text of a corpus, and how far its ingestion has come. */
export interface Document {
  readonly tenantId: string;
  readonly id: string;
  readonly corpusId: string;
  /** How citations name it. */
  readonly uri: string;
  readonly filename: string;
  readonly contentType: string;
  readonly ingestSource: IngestSource;
  readonly status: DocumentStatus;
  readonly failureCode: string | null;
  readonly failureReason: string | null;
  /** Where the text is stored; null when it was not kept. */
  readonly storageKey: string | null;
  /** Of the stored text in UTF-8. */
  readonly contentSha256: string;
  /** Of the stored text in UTF-8. */
  readonly byteCount: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly chunker: ChunkerVersion;
  readonly chunkParams: ChunkParams;
  /** Counts ingestions; work for an older generation must not be committed. */
  readonly generation: number;
  readonly numChunks: number | null;
  readonly lastJobId: string | null;
  readonly queuedAt: Date | null;
  readonly processingStartedAt: Date | null;
  readonly completedAt: Date | null;
  readonly lastReindexedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** With what belongs to the document in other tables. */
export interface DocumentDetails extends Document {
  readonly labels: Readonly<Record<string, string>>;
  /** Of the latest job. */
  readonly attempts: number;
}

/** Where the stored text of a document is kept. The same text has the same place, so storing it twice is one copy. */
export function storageKeyOf(tenantId: string, documentId: string, contentSha256: string): string {
  return `tenants/${tenantId}/documents/${documentId}/${contentSha256}`;
}
