import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * Words and vectors of passages, apart from each other: a passage has one list of words with their weights and, while
 * the embedding model of its corpus changes, two vectors. Passages of a generation that is hidden are not found.
 * `corpus_terms` counts the passages that contain a word.
 *
 * The words of stored passages cannot be told in SQL, so every document whose text was kept is ingested again.
 */
export class SearchIndex implements MigrationInterface {
  readonly name = 'SearchIndex1767225600007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX ix_chunks_embedding;
      TRUNCATE chunks;
      ALTER TABLE chunks DROP COLUMN embedding, DROP COLUMN embedding_model,
        ADD COLUMN terms tsvector NOT NULL, ADD COLUMN term_weights sparsevec NOT NULL;
      ALTER TABLE chunks ALTER COLUMN terms SET STORAGE MAIN, ALTER COLUMN term_weights SET STORAGE MAIN;
      ALTER TABLE chunks SET (toast_tuple_target = 4080);
      CREATE INDEX ix_chunks_terms ON chunks USING gin (terms) WITH (fastupdate = off);
      CREATE INDEX ix_chunks_content ON chunks (tenant_id, document_id, content_sha256);

      CREATE TABLE chunk_embeddings (
        tenant_id text NOT NULL,
        chunk_id uuid NOT NULL,
        embedding_model text NOT NULL,
        corpus_id text NOT NULL,
        document_id text NOT NULL,
        generation int NOT NULL,
        embedding vector(768) NOT NULL,
        CONSTRAINT pk_chunk_embeddings PRIMARY KEY (tenant_id, chunk_id, embedding_model),
        CONSTRAINT fk_chunk_embeddings_chunk FOREIGN KEY (tenant_id, chunk_id)
          REFERENCES chunks (tenant_id, id) ON DELETE CASCADE
      );
      ALTER TABLE chunk_embeddings ALTER COLUMN embedding SET STORAGE PLAIN;
      CREATE INDEX ix_chunk_embeddings_corpus ON chunk_embeddings (tenant_id, corpus_id, embedding_model);
      CREATE INDEX ix_chunk_embeddings_vector ON chunk_embeddings USING hnsw (embedding vector_cosine_ops)
        WITH (m = 16, ef_construction = 64);
      ${isolateTenantTable('chunk_embeddings')}

      CREATE TABLE hidden_generations (
        tenant_id text NOT NULL,
        document_id text NOT NULL,
        generation int NOT NULL,
        CONSTRAINT pk_hidden_generations PRIMARY KEY (tenant_id, document_id, generation),
        CONSTRAINT fk_hidden_generations_document FOREIGN KEY (tenant_id, document_id)
          REFERENCES documents (tenant_id, id) ON DELETE CASCADE
      );
      ${isolateTenantTable('hidden_generations')}

      CREATE TABLE corpus_indexes (
        tenant_id text NOT NULL,
        corpus_id text NOT NULL,
        embedding_model text NOT NULL,
        next_embedding_model text,
        chunk_count bigint NOT NULL DEFAULT 0,
        CONSTRAINT pk_corpus_indexes PRIMARY KEY (tenant_id, corpus_id),
        CONSTRAINT fk_corpus_indexes_corpus FOREIGN KEY (tenant_id, corpus_id)
          REFERENCES corpora (tenant_id, id) ON DELETE CASCADE
      );
      ${isolateTenantTable('corpus_indexes')}

      CREATE TABLE corpus_terms (
        tenant_id text NOT NULL,
        corpus_id text NOT NULL,
        term text NOT NULL,
        chunk_count int NOT NULL,
        CONSTRAINT pk_corpus_terms PRIMARY KEY (tenant_id, corpus_id, term),
        CONSTRAINT fk_corpus_terms_corpus FOREIGN KEY (tenant_id, corpus_id)
          REFERENCES corpora (tenant_id, id) ON DELETE CASCADE
      );
      CREATE INDEX ix_corpus_terms_gone ON corpus_terms (tenant_id) WHERE chunk_count <= 0;
      ${isolateTenantTable('corpus_terms')}

      CREATE VIEW searchable_chunks AS
        SELECT c.* FROM chunks c
         WHERE c.tenant_id = current_setting('app.tenant_id', true)
           AND (c.document_id, c.generation) NOT IN (
             SELECT h.document_id, h.generation FROM hidden_generations h
              WHERE h.tenant_id = current_setting('app.tenant_id', true));
      COMMENT ON VIEW searchable_chunks IS
        'What searches of the current tenant may find. Row-level security would keep the index of words from being used; the view has the same condition, and the role that owns it.';
      DO $$ BEGIN
        EXECUTE format('GRANT CREATE ON SCHEMA %I TO nexusrag_system', current_schema());
        ALTER VIEW searchable_chunks OWNER TO nexusrag_system;
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM nexusrag_system', current_schema());
      END $$;
    `);
    await runner.query(`GRANT SELECT ON searchable_chunks TO nexusrag_app`);
    await ingestAgain(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP VIEW searchable_chunks;
      DROP TABLE corpus_terms;
      DROP TABLE corpus_indexes;
      DROP TABLE hidden_generations;
      DROP TABLE chunk_embeddings;
      TRUNCATE chunks;
      DROP INDEX ix_chunks_terms;
      DROP INDEX ix_chunks_content;
      ALTER TABLE chunks RESET (toast_tuple_target);
      ALTER TABLE chunks DROP COLUMN terms, DROP COLUMN term_weights,
        ADD COLUMN embedding vector(768) NOT NULL, ADD COLUMN embedding_model text NOT NULL;
      CREATE INDEX ix_chunks_embedding ON chunks USING hnsw (embedding vector_cosine_ops)
        WITH (m = 16, ef_construction = 64);
    `);
    await ingestAgain(runner);
  }
}

/** As the system role, which sees the rows of every tenant. */
async function ingestAgain(runner: QueryRunner): Promise<void> {
  await runner.query(`
    SET LOCAL ROLE nexusrag_system;
    UPDATE outbox_jobs SET state = 'dead', finished_at = now(), last_error = 'replaced by a migration'
     WHERE name = 'ingest' AND state IN ('pending', 'running');
    UPDATE documents
       SET generation = generation + 1, status = 'queued', failure_code = NULL, failure_reason = NULL,
           num_chunks = NULL, last_job_id = gen_random_uuid()::text, queued_at = now(), processing_started_at = NULL,
           completed_at = NULL, updated_at = now()
     WHERE storage_key IS NOT NULL;
    INSERT INTO ingest_jobs (tenant_id, id, document_id, generation, kind, status)
      SELECT tenant_id, last_job_id, id, generation, 'reindex', 'queued' FROM documents WHERE storage_key IS NOT NULL;
    INSERT INTO outbox_jobs (tenant_id, id, name, payload, context)
      SELECT tenant_id, last_job_id, 'ingest', jsonb_build_object('documentId', id, 'generation', generation),
             jsonb_build_object('requestId', last_job_id)
        FROM documents WHERE storage_key IS NOT NULL;
    RESET ROLE;
  `);
}
