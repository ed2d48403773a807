import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Somebody who may read few documents of a corpus has their vectors compared, and no others read. */
export class VectorsOfDocuments implements MigrationInterface {
  readonly name = 'VectorsOfDocuments1767225600017';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX ix_chunk_embeddings_document ON chunk_embeddings (tenant_id, document_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ix_chunk_embeddings_document`);
  }
}
