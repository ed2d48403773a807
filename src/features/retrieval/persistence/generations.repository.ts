import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { IndexedDocument } from '../domain/indexed-chunk.js';

export interface HiddenGeneration {
  readonly tenantId: string;
  readonly documentId: string;
  readonly generation: number;
}

/** Which generation of a document is found. A generation is written hidden, shown in one statement, and hidden again. */
@Injectable()
export class GenerationsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async hide({ documentId, generation }: IndexedDocument): Promise<void> {
    await this.uow.execute(
      `INSERT INTO hidden_generations (tenant_id, document_id, generation) VALUES ($1, $2, $3)
       ON CONFLICT ON CONSTRAINT pk_hidden_generations DO NOTHING`,
      [this.uow.tenantId, documentId, generation],
    );
  }

  /** Shows the generation and hides every other one; the corpus's count follows. */
  async show({ corpusId, documentId, generation }: IndexedDocument): Promise<void> {
    const values = [this.uow.tenantId, documentId, generation];
    await this.uow.execute(
      `UPDATE corpus_indexes i SET chunk_count = i.chunk_count + d.chunks
         FROM (SELECT COALESCE(sum(CASE WHEN generation = $3 THEN 1 ELSE -1 END), 0) AS chunks
                 FROM chunks WHERE tenant_id = $1 AND document_id = $2 AND (generation = $3 OR ${FOUND})) AS d
        WHERE i.tenant_id = $1 AND i.corpus_id = $4`,
      [...values, corpusId],
    );
    await this.uow.execute(
      `INSERT INTO hidden_generations (tenant_id, document_id, generation)
       SELECT DISTINCT tenant_id, document_id, generation FROM chunks
        WHERE tenant_id = $1 AND document_id = $2 AND generation <> $3
       ON CONFLICT ON CONSTRAINT pk_hidden_generations DO NOTHING`,
      values,
    );
    await this.uow.execute(
      `DELETE FROM hidden_generations WHERE tenant_id = $1 AND document_id = $2 AND generation = $3`,
      values,
    );
  }

  /** Takes documents that are about to be deleted out of their corpora's count. */
  async discount(documentIds: readonly string[]): Promise<void> {
    await this.uow.execute(
      `UPDATE corpus_indexes i SET chunk_count = i.chunk_count - d.chunks
         FROM (SELECT corpus_id, count(*) AS chunks
                 FROM chunks WHERE tenant_id = $1 AND document_id = ANY ($2) AND ${FOUND} GROUP BY corpus_id) AS d
        WHERE i.tenant_id = $1 AND i.corpus_id = d.corpus_id`,
      [this.uow.tenantId, documentIds],
    );
  }

  /** Hidden generations of the document that nobody writes. */
  async obsolete(documentId: string): Promise<number[]> {
    const rows = await this.uow.rows<{ generation: number }>(
      `SELECT h.generation FROM hidden_generations h
        WHERE h.tenant_id = $1 AND h.document_id = $2 AND NOT ${BEING_WRITTEN}`,
      [this.uow.tenantId, documentId],
    );
    return rows.map(({ generation }) => generation);
  }

  /** Forgets a hidden generation of which no passage is left, unless it is being written. */
  async forget(documentId: string, generation: number): Promise<void> {
    await this.uow.execute(
      `DELETE FROM hidden_generations h WHERE tenant_id = $1 AND document_id = $2 AND generation = $3
         AND NOT ${BEING_WRITTEN}
         AND NOT EXISTS (SELECT FROM chunks c WHERE c.tenant_id = h.tenant_id AND c.document_id = h.document_id
                                                AND c.generation = h.generation)`,
      [this.uow.tenantId, documentId, generation],
    );
  }

  /** Deletes some words of all tenants that no passage contains any more. Runs across tenants. @returns how many. */
  async forgetTerms(limit: number): Promise<number> {
    return this.uow.execute(
      `DELETE FROM corpus_terms t USING (
         SELECT tenant_id, corpus_id, term FROM corpus_terms WHERE chunk_count <= 0 LIMIT $1 FOR UPDATE SKIP LOCKED) AS gone
        WHERE t.tenant_id = gone.tenant_id AND t.corpus_id = gone.corpus_id AND t.term = gone.term`,
      [limit],
    );
  }

  /** Generations of all tenants that nobody writes any more. Runs across tenants. */
  async abandoned(limit: number): Promise<HiddenGeneration[]> {
    return this.uow.rows(
      `SELECT h.tenant_id AS "tenantId", h.document_id AS "documentId", h.generation FROM hidden_generations h
        WHERE NOT ${BEING_WRITTEN} ORDER BY h.tenant_id, h.document_id LIMIT $1`,
      [limit],
    );
  }
}

/**
 * Condition that an ingestion of the hidden generation `h` is due or under way. Asked by the statement that deletes:
 * between a look and a deletion, the document may have been sent again, even deleted and made again from generation 1.
 */
export const BEING_WRITTEN = `EXISTS (SELECT FROM documents d
  WHERE d.tenant_id = h.tenant_id AND d.id = h.document_id AND d.generation = h.generation
    AND d.status IN ('queued', 'processing'))`;

const FOUND = `NOT EXISTS (SELECT FROM hidden_generations h
  WHERE h.tenant_id = chunks.tenant_id AND h.document_id = chunks.document_id AND h.generation = chunks.generation)`;
