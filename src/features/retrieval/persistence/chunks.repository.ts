import { Injectable } from '@nestjs/common';
import { toSql } from 'pgvector';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { IndexedChunk, IndexedDocument } from '../domain/indexed-chunk.js';
import { scoreOf, type Passage } from '../domain/passage.js';

/**
 * Rows per INSERT: enough to save round trips, few enough that the embedded database, which works on the event loop,
 * lets others in between.
 */
const BATCH = 50;

interface NearestRow {
  readonly id: string;
  readonly document_id: string;
  readonly document_uri: string;
  readonly text: string;
  readonly metadata_json: Record<string, unknown>;
  readonly distance: number;
}

@Injectable()
export class ChunksRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async deleteOf(documentIds: readonly string[]): Promise<void> {
    await this.uow.execute(`DELETE FROM chunks WHERE tenant_id = $1 AND document_id = ANY($2)`, [
      this.uow.tenantId,
      documentIds,
    ]);
  }

  async insert(document: IndexedDocument, chunks: readonly IndexedChunk[]): Promise<void> {
    for (let from = 0; from < chunks.length; from += BATCH) {
      const batch = chunks.slice(from, from + BATCH);
      await this.uow.execute(
        `INSERT INTO chunks (tenant_id, corpus_id, document_id, generation, document_uri, embedding_model,
                             id, chunk_index, text, embedding, content_sha256, metadata_json)
         SELECT $1, $2, $3, $4, $5, $6, c.id, c.chunk_index, c.text, c.embedding::vector, c.sha, c.metadata
           FROM unnest($7::uuid[], $8::int[], $9::text[], $10::text[], $11::text[], $12::jsonb[])
             AS c (id, chunk_index, text, embedding, sha, metadata)`,
        [
          this.uow.tenantId,
          document.corpusId,
          document.documentId,
          document.generation,
          document.uri,
          document.embeddingModel,
          batch.map((chunk) => chunk.id),
          batch.map((chunk) => chunk.index),
          batch.map((chunk) => chunk.text),
          batch.map((chunk) => vectorText(chunk.embedding)),
          batch.map((chunk) => chunk.contentSha256),
          batch.map((chunk) => JSON.stringify(chunk.metadata)),
        ],
      );
    }
  }

  /**
   * The nearest chunks of a corpus; equal distances in the order of their ids. The vector index spans corpora and
   * tenants and is asked first. When the filter leaves it short of `limit`, the corpus is searched exactly, so that
   * there are `limit` results whenever the corpus has them.
   */
  async nearest(
    corpusId: string,
    vector: readonly number[],
    embeddingModel: string,
    limit: number,
  ): Promise<Passage[]> {
    const values = [this.uow.tenantId, corpusId, embeddingModel, vectorText(vector), limit];
    // Postgres 15 takes the index only for an order by distance alone; the ties are sorted afterwards.
    const approximate = await this.uow.rows<NearestRow>(
      `SELECT * FROM (
         SELECT ${NEAREST_COLUMNS} FROM chunks WHERE ${IN_CORPUS}
          ORDER BY distance FETCH FIRST $5 ROWS WITH TIES) AS nearest
        ORDER BY distance, id LIMIT $5`,
      values,
    );
    const rows =
      approximate.length === limit
        ? approximate
        : await this.uow.rows<NearestRow>(
            `WITH corpus AS MATERIALIZED (SELECT * FROM chunks WHERE ${IN_CORPUS})
             SELECT ${NEAREST_COLUMNS} FROM corpus ORDER BY distance, id LIMIT $5`,
            values,
          );
    return rows.map((row) => ({
      chunkId: row.id,
      documentId: row.document_id,
      source: row.document_uri,
      text: row.text,
      score: scoreOf(row.distance),
      metadata: row.metadata_json,
    }));
  }
}

function vectorText(vector: readonly number[]): string {
  return toSql([...vector]) as string;
}

const NEAREST_COLUMNS = `id, document_id, document_uri, text, metadata_json, embedding <=> $4::vector AS distance`;
const IN_CORPUS = `tenant_id = $1 AND corpus_id = $2 AND embedding_model = $3`;
