import type { ChunkParams } from './chunk-params.js';
import type { DocumentStatus } from './document-status.js';
import { fileExtensionOf } from './file-types.js';

export type IngestSource = 'upload_file' | 'raw_text';
export type ChunkerVersion = 'v1' | 'v2';

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
  /** Where what was sent is stored: a text in stored form, a file as sent. Null when it was not kept. */
  readonly storageKey: string | null;
  /** Of what is stored: a text in UTF-8, a file as sent. */
  readonly contentSha256: string;
  /** Of what is stored: a text in UTF-8, a file as sent. */
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

/**
 * Where what was sent is kept. The same content has the same place, so storing it twice is one copy. The same bytes as
 * a file of another type have another one, because their text is another.
 */
export function storageKeyOf(tenantId: string, documentId: string, contentSha256: string, contentType: string): string {
  const extension = fileExtensionOf(contentType);
  const name = extension === undefined ? contentSha256 : `${contentSha256}.${extension}`;
  return `tenants/${tenantId}/documents/${documentId}/${name}`;
}

/** Where the text of a stored file is kept, once it is read. */
export function textKeyOf(storageKey: string): string {
  return `${storageKey}.text`;
}

/** Everything that is kept under a storage key; what was sent comes last. */
export function storedKeysOf(storageKey: string): string[] {
  const name = storageKey.slice(storageKey.lastIndexOf('/') + 1);
  return name.includes('.') ? [textKeyOf(storageKey), storageKey] : [storageKey];
}
