import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { constraints, PLANNED_ANEW, SqlParameters, UnitOfWork } from '../../../platform/db/index.js';
import { allowed, granted, type DocumentAction, type DocumentRules } from '../../rbac-abac/index.js';
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

type ExaminedRow = DocumentRow & Pick<ExaminedDocument, 'labels' | 'attempts' | 'granted'>;

/** Rows that are read at least, when each must be asked about. */
const EXAMINED_AT_ONCE = 200;

/** Who asks for a document, and what for. */
export interface Asked {
  readonly rules: DocumentRules;
  readonly action: DocumentAction;
}

export interface ExaminedDocument extends DocumentDetails {
  /** Whether a grant gives the action to who asks. The system needs none. */
  readonly granted: boolean;
}

export interface ListedDocument extends ExaminedDocument {
  /** When it was made, as the database prints it. */
  readonly position: string;
}

/** Documents as their readers and senders see them. What the worker does to them: see IngestProgressRepository. */
@Injectable()
export class DocumentsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /**
   * Documents that may be read, oldest first. Unless `exact`, some of them may not after all; the page is then larger
   * than the limit, so that a list of which little may be read takes few round trips.
   *
   * @throws INVALID_CURSOR
   */
  async list(
    rules: DocumentRules,
    filter: { corpusId?: string },
    limit: number,
    cursor?: string,
  ): Promise<{ page: Page<ListedDocument>; exact: boolean }> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'text']);
    const parameters = new SqlParameters();
    const tenant = parameters.add(this.uow.tenantId);
    const [corpus, after, afterId] = [filter.corpusId, time, id].map((value) => parameters.add(value ?? null));
    const { sql, exact } = allowed(rules, 'read', 'd', parameters);
    const size = exact ? limit : Math.max(limit, EXAMINED_AT_ONCE);
    // Not to be kept prepared: its text depends on the policies of the tenant.
    const rows = await this.uow.rows<ExaminedRow & { position: string }>(
      `${PLANNED_ANEW} SELECT d.created_at::text AS position, true AS granted, ${DETAILS}
        WHERE d.tenant_id = ${tenant} AND (${corpus}::text IS NULL OR d.corpus_id = ${corpus})
          AND (${after}::timestamptz IS NULL OR (d.created_at, d.id) > (${after}::timestamptz, ${afterId}::text))
          AND ${sql}
        ORDER BY d.created_at, d.id LIMIT ${parameters.add(size + 1)}`,
      parameters.values,
    );
    return { page: Page.of(rows.map(fromRow), size, (row) => [row.position, row.id]), exact };
  }

  /** @param asked undefined for the system. */
  async find(id: string, asked?: Asked): Promise<ExaminedDocument | undefined> {
    const parameters = new SqlParameters();
    const [tenant, key] = [parameters.add(this.uow.tenantId), parameters.add(id)];
    const grant = asked === undefined ? 'true' : granted(asked.rules, asked.action, 'd', parameters);
    const row = await this.uow.first<ExaminedRow>(
      `SELECT ${grant} AS granted, ${DETAILS} WHERE d.tenant_id = ${tenant} AND d.id = ${key}`,
      parameters.values,
    );
    return row === undefined ? undefined : fromRow(row);
  }

  /**
   * Keeps the document as it is until the transaction ends. It is to be read afterwards: its labels may have been
   * changed by whoever held it before.
   *
   * @returns false when there is none.
   */
  async lock(id: string): Promise<boolean> {
    const row = await this.uow.first(`SELECT 1 FROM documents WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, [
      this.uow.tenantId,
      id,
    ]);
    return row !== undefined;
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
