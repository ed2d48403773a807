import type { Document } from '../domain/document.js';

/** Columns of a document under the alias `d`, named as in `DocumentRow`. */
export const DOCUMENT_COLUMNS = `d.tenant_id AS "tenantId", d.id, d.corpus_id AS "corpusId", d.uri, d.filename,
  d.content_type AS "contentType", d.ingest_source AS "ingestSource", d.status, d.failure_code AS "failureCode",
  d.failure_reason AS "failureReason", d.storage_key AS "storageKey", d.content_sha256 AS "contentSha256",
  d.byte_count::float8 AS "byteCount", d.metadata_json AS metadata, d.chunker, d.chunk_size_chars AS "chunkSize",
  d.chunk_overlap_chars AS "chunkOverlap", d.generation, d.num_chunks AS "numChunks", d.last_job_id AS "lastJobId",
  d.queued_at AS "queuedAt", d.processing_started_at AS "processingStartedAt", d.completed_at AS "completedAt",
  d.last_reindexed_at AS "lastReindexedAt", d.created_at AS "createdAt", d.updated_at AS "updatedAt"`;

export type DocumentRow = Omit<Document, 'chunkParams'> & { readonly chunkSize: number; readonly chunkOverlap: number };

export function fromRow<R extends DocumentRow>(row: R): R & Document {
  return { ...row, chunkParams: { size: row.chunkSize, overlap: row.chunkOverlap } };
}
