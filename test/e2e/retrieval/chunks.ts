import { toSql } from 'pgvector';
import type { Actor, TestApp } from '../../harness/app.js';
import { sha256Hex } from '../../../src/kernel/hash.js';

export interface TestChunk {
  readonly text: string;
  /** A UUID; one is made when it does not matter. */
  readonly id?: string;
  /** Embedded by the model in force when not given. */
  readonly vector?: readonly number[];
  readonly embeddingModel?: string;
}

let corpora = 0;

/** @param owner an editor or more. */
export async function newCorpus(owner: Actor, retrieval?: Record<string, unknown>): Promise<string> {
  const config = retrieval === undefined ? {} : { provider_config_json: { retrieval } };
  const response = await owner.post('/v1/corpora', { name: `Corpus ${(corpora += 1)}`, ...config }).expect(201);
  return response.body.data.id as string;
}

/** Puts chunks of a new document straight into the index, for tests that decide what ingestion would decide. */
export async function putChunks(
  app: TestApp,
  tenantId: string,
  corpusId: string,
  chunks: readonly TestChunk[],
): Promise<string> {
  const { embeddings, ids } = app.infrastructure;
  const documentId = ids.opaque();
  await app.rows(
    `INSERT INTO documents (tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status,
                            content_sha256, byte_count, chunker, chunk_size_chars, chunk_overlap_chars, created_by)
     VALUES ($1, $2, $3, 'document://' || $2, 'notes.txt', 'text/plain', 'raw_text', 'succeeded', '', 0, 'v1', 1200, 0, 'test')`,
    [tenantId, documentId, corpusId],
  );
  const vectors = await embeddings.embed(
    chunks.map(({ text }) => text),
    'document',
  );
  await app.rows(
    `INSERT INTO chunks (tenant_id, corpus_id, document_id, generation, document_uri, id, chunk_index, text,
                         embedding, embedding_model, content_sha256, metadata_json)
     SELECT $1, $2, $3, 1, 'document://' || $3, c.id, c.chunk_index, c.text, c.embedding::vector, c.model, c.sha,
            '{"filename": "notes.txt", "offset_start": 0, "offset_end": 1}'
       FROM unnest($4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[])
         AS c (id, chunk_index, text, embedding, model, sha)`,
    [
      tenantId,
      corpusId,
      documentId,
      chunks.map(({ id }) => id ?? ids.uuid()),
      chunks.map((_chunk, index) => index),
      chunks.map(({ text }) => text),
      chunks.map(({ vector }, index) => toSql([...(vector ?? vectors[index] ?? [])])),
      chunks.map(({ embeddingModel }) => embeddingModel ?? embeddings.id),
      chunks.map(({ text }) => sha256Hex(text)),
    ],
  );
  return documentId;
}

/** Statements that only the owner of the tables may run, such as ALTER TABLE. */
export async function asOwner(app: TestApp, sql: string): Promise<void> {
  await app.dataSource.query(`BEGIN; SET LOCAL ROLE NONE; ${sql}; COMMIT`);
}
