import { Injectable } from '@nestjs/common';
import { toSql } from 'pgvector';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { IndexedChunk, IndexedDocument } from '../application/chunk-index.js';

/** Rows per INSERT: large enough to save round trips, small enough to bound the statement. */
const BATCH = 200;

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
          batch.map((chunk) => toSql([...chunk.embedding])),
          batch.map((chunk) => chunk.contentSha256),
          batch.map((chunk) => JSON.stringify(chunk.metadata)),
        ],
      );
    }
  }
}
