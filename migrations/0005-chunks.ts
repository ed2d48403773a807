import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/** Passages with their embeddings. Each belongs to one generation of one document. */
export class Chunks implements MigrationInterface {
  readonly name = 'Chunks1767225600005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE EXTENSION IF NOT EXISTS vector;

      CREATE TABLE chunks (
        tenant_id text NOT NULL,
        id uuid NOT NULL,
        corpus_id text NOT NULL,
        document_id text NOT NULL,
        generation int NOT NULL,
        chunk_index int NOT NULL,
        document_uri text NOT NULL,
        text text NOT NULL,
        embedding vector(768) NOT NULL,
        embedding_model text NOT NULL,
        content_sha256 text NOT NULL,
        metadata_json jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_chunks PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_chunks_position UNIQUE (tenant_id, document_id, generation, chunk_index),
        CONSTRAINT fk_chunks_document FOREIGN KEY (tenant_id, document_id)
          REFERENCES documents (tenant_id, id) ON DELETE CASCADE
      );
      CREATE INDEX ix_chunks_corpus ON chunks (tenant_id, corpus_id);
      CREATE INDEX ix_chunks_embedding ON chunks USING hnsw (embedding vector_cosine_ops)
        WITH (m = 16, ef_construction = 64);
      ${isolateTenantTable('chunks')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE chunks; DROP EXTENSION vector;`);
  }
}
