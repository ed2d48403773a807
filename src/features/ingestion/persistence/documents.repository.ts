import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import type { ChunkParams } from '../domain/chunker.js';
import type { ChunkerVersion, Document, DocumentDetails } from '../domain/document.js';
import { DOCUMENT_MOVES } from '../domain/document-status.js';
import { DOCUMENT_COLUMNS, fromRow, type DocumentRow } from './document-columns.js';
import type { StoredSource } from './source-removals.repository.js';

/** What a sender decides about a document. */
export interface DocumentContent {
  readonly id: string;
  /** Undefined: `document://<id>` for a new document, unchanged for one that is replaced. */
  readonly uri?: string | undefined;
  readonly filename: string;
  readonly contentType: string;
  readonly ingestSource: Document['ingestSource'];
  readonly storageKey: string;
  readonly contentSha256: string;
  readonly byteCount: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly chunker: ChunkerVersion;
  readonly chunkParams: ChunkParams;
  readonly jobId: string;
}

const DETAILS = `${DOCUMENT_COLUMNS}, COALESCE(j.attempts, 0) AS attempts,
  COALESCE((SELECT jsonb_object_agg(l.key, l.value) FROM document_labels l
             WHERE l.tenant_id = d.tenant_id AND l.document_id = d.id), '{}') AS labels
  FROM documents d LEFT JOIN ingest_jobs j ON j.tenant_id = d.tenant_id AND j.id = d.last_job_id`;

type DetailsRow = DocumentRow & Pick<DocumentDetails, 'labels' | 'attempts'>;

/** Documents as their readers and senders see them. What the worker does to them: see IngestProgressRepository. */
@Injectable()
export class DocumentsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Oldest first. @throws INVALID_CURSOR */
  async list(filter: { corpusId?: string }, limit: number, cursor?: string): Promise<Page<DocumentDetails>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'text']);
    const rows = await this.uow.rows<DetailsRow & { position: string }>(
      `SELECT d.created_at::text AS position, ${DETAILS}
        WHERE d.tenant_id = $1 AND ($2::text IS NULL OR d.corpus_id = $2)
          AND ($3::timestamptz IS NULL OR (d.created_at, d.id) > ($3::timestamptz, $4::text))
        ORDER BY d.created_at, d.id LIMIT $5`,
      [this.uow.tenantId, filter.corpusId ?? null, time ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows.map(fromRow), limit, (row) => [row.position, row.id]);
  }

  async find(id: string): Promise<DocumentDetails | undefined> {
    const row = await this.uow.first<DetailsRow>(`SELECT ${DETAILS} WHERE d.tenant_id = $1 AND d.id = $2`, [
      this.uow.tenantId,
      id,
    ]);
    return row === undefined ? undefined : fromRow(row);
  }

  /** The document, which nobody else changes until the transaction ends. */
  async lock(id: string): Promise<Document | undefined> {
    const row = await this.uow.first<DocumentRow>(
      `SELECT ${DOCUMENT_COLUMNS} FROM documents d WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
      [this.uow.tenantId, id],
    );
    return row === undefined ? undefined : fromRow(row);
  }

  /** @returns false when the id is taken, which is then committed and can be locked. @throws NOT_FOUND (corpus). */
  async insert(document: DocumentContent & { corpusId: string; createdBy: string }): Promise<boolean> {
    const inserted = await constraints({ fk_documents_corpus: noCorpus }, () =>
      this.uow.execute(
        `INSERT INTO documents (tenant_id, id, uri, filename, content_type, ingest_source, storage_key, content_sha256,
                                byte_count, metadata_json, chunker, chunk_size_chars, chunk_overlap_chars, last_job_id,
                                corpus_id, created_by, status, queued_at)
         VALUES ($1, $2, COALESCE($3, 'document://' || $2), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                 'queued', now())
         ON CONFLICT ON CONSTRAINT pk_documents DO NOTHING`,
        [...this.#values(document), document.corpusId, document.createdBy],
      ),
    );
    return inserted === 1;
  }

  /** Puts new content in place of the old. @returns the new generation; undefined while one is in flight. */
  async replace(document: DocumentContent): Promise<number | undefined> {
    const row = await this.uow.first<{ generation: number }>(
      `UPDATE documents SET uri = COALESCE($3, uri), filename = $4, content_type = $5, ingest_source = $6,
              storage_key = $7, content_sha256 = $8, byte_count = $9, metadata_json = $10, chunker = $11,
              chunk_size_chars = $12, chunk_overlap_chars = $13, last_job_id = $14, ${REQUEUED}
        WHERE tenant_id = $1 AND id = $2 AND status = ANY($15) RETURNING generation`,
      [...this.#values(document), DOCUMENT_MOVES.requeue.from],
    );
    return row?.generation;
  }

  /** Asks for the same content to be ingested again. @returns the new generation; undefined while one is in flight. */
  async requeue(
    id: string,
    request: { chunker: ChunkerVersion; chunkParams: ChunkParams; jobId: string },
  ): Promise<number | undefined> {
    const { chunker, chunkParams, jobId } = request;
    const row = await this.uow.first<{ generation: number }>(
      `UPDATE documents SET chunker = $3, chunk_size_chars = $4, chunk_overlap_chars = $5, last_job_id = $6, ${REQUEUED}
        WHERE tenant_id = $1 AND id = $2 AND status = ANY($7) RETURNING generation`,
      [this.uow.tenantId, id, chunker, chunkParams.size, chunkParams.overlap, jobId, DOCUMENT_MOVES.requeue.from],
    );
    return row?.generation;
  }

  async replaceLabels(id: string, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.uow.execute(`DELETE FROM document_labels WHERE tenant_id = $1 AND document_id = $2`, [
      this.uow.tenantId,
      id,
    ]);
    await this.uow.execute(
      `INSERT INTO document_labels (tenant_id, document_id, key, value)
       SELECT $1, $2, l.key, l.value FROM unnest($3::text[], $4::text[]) AS l (key, value)`,
      [this.uow.tenantId, id, Object.keys(labels), Object.values(labels)],
    );
  }

  /** Some documents of the corpus, locked; empty when it has none. */
  async lockSome(corpusId: string, limit: number): Promise<(Omit<StoredSource, 'key'> & { key: string | null })[]> {
    return this.uow.rows(
      `SELECT id AS "documentId", storage_key AS key FROM documents
        WHERE tenant_id = $1 AND corpus_id = $2 ORDER BY created_at, id LIMIT $3 FOR UPDATE`,
      [this.uow.tenantId, corpusId, limit],
    );
  }

  /** Takes labels, grants and job history along. */
  async delete(ids: readonly string[]): Promise<void> {
    await this.uow.execute(`DELETE FROM documents WHERE tenant_id = $1 AND id = ANY($2)`, [this.uow.tenantId, ids]);
  }

  #values(document: DocumentContent): unknown[] {
    return [
      this.uow.tenantId,
      document.id,
      document.uri ?? null,
      document.filename,
      document.contentType,
      document.ingestSource,
      document.storageKey,
      document.contentSha256,
      document.byteCount,
      JSON.stringify(document.metadata),
      document.chunker,
      document.chunkParams.size,
      document.chunkParams.overlap,
      document.jobId,
    ];
  }
}

const REQUEUED = `generation = generation + 1, status = 'queued', failure_code = NULL, failure_reason = NULL,
  num_chunks = NULL, queued_at = now(), processing_started_at = NULL, completed_at = NULL, updated_at = now()`;

function noCorpus(): Error {
  return commonErrors.NOT_FOUND({ message: 'No such corpus.' });
}
