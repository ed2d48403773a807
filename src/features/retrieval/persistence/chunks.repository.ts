import { Injectable } from '@nestjs/common';
import { toSql } from 'pgvector';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { IndexedChunk, IndexedDocument } from '../domain/indexed-chunk.js';
import { lexemePrefix, lexemeVector, weightVector } from '../domain/lexemes.js';
import { BEING_WRITTEN } from './generations.repository.js';

/**
 * Rows per INSERT: enough to save round trips, few enough that the embedded database, which works on the event loop,
 * lets others in between.
 */
const BATCH = 32;

/** Passages with their words and vectors, as they are written. */
@Injectable()
export class ChunksRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Positions of the passages that this generation has already. */
  async positions({ documentId, generation }: IndexedDocument): Promise<Set<number>> {
    const rows = await this.uow.rows<{ chunk_index: number }>(
      `SELECT chunk_index FROM chunks WHERE tenant_id = $1 AND document_id = $2 AND generation = $3`,
      [this.uow.tenantId, documentId, generation],
    );
    return new Set(rows.map((row) => row.chunk_index));
  }

  /** @returns ids of the passages that were not there yet. */
  async insert(document: IndexedDocument, chunks: readonly IndexedChunk[]): Promise<Set<string>> {
    const inserted = new Set<string>();
    const prefix = lexemePrefix(this.uow.tenantId, document.corpusId);
    for (let from = 0; from < chunks.length; from += BATCH) {
      const batch = chunks.slice(from, from + BATCH);
      const rows = await this.uow.rows<{ id: string }>(
        `INSERT INTO chunks (tenant_id, corpus_id, document_id, generation, document_uri,
                             id, chunk_index, text, terms, term_weights, content_sha256, metadata_json)
         SELECT $1, $2, $3, $4, $5, c.id, c.chunk_index, c.text, c.terms::tsvector, c.weights::sparsevec, c.sha, c.metadata
           FROM unnest($6::uuid[], $7::int[], $8::text[], $9::text[], $10::text[], $11::text[], $12::jsonb[])
             AS c (id, chunk_index, text, terms, weights, sha, metadata)
         ON CONFLICT ON CONSTRAINT uq_chunks_position DO NOTHING RETURNING id`,
        [
          this.uow.tenantId,
          document.corpusId,
          document.documentId,
          document.generation,
          document.uri,
          batch.map((chunk) => chunk.id),
          batch.map((chunk) => chunk.index),
          batch.map((chunk) => chunk.text),
          batch.map((chunk) => lexemeVector(prefix, chunk.terms)),
          batch.map((chunk) => weightVector(chunk.terms)),
          batch.map((chunk) => chunk.contentSha256),
          batch.map((chunk) => JSON.stringify(chunk.metadata)),
        ],
      );
      for (const { id } of rows) inserted.add(id);
    }
    return inserted;
  }

  /** Of the contents, those that a passage of the document has a vector for. */
  async embedded(documentId: string, model: string, contents: readonly string[]): Promise<Set<string>> {
    const rows = await this.uow.rows<{ sha: string }>(`SELECT DISTINCT c.content_sha256 AS sha ${EMBEDDED_CONTENTS}`, [
      this.uow.tenantId,
      documentId,
      model,
      contents,
    ]);
    return new Set(rows.map(({ sha }) => sha));
  }

  /** Vectors for stored passages; one that is there stays. */
  async insertEmbeddings(model: string, vectors: ReadonlyMap<string, readonly number[]>): Promise<void> {
    const entries = [...vectors];
    for (let from = 0; from < entries.length; from += BATCH) {
      const batch = entries.slice(from, from + BATCH);
      await this.uow.execute(
        `INSERT INTO chunk_embeddings (tenant_id, chunk_id, embedding_model, corpus_id, document_id, generation, embedding)
         SELECT c.tenant_id, c.id, $2, c.corpus_id, c.document_id, c.generation, v.embedding::vector
           FROM unnest($3::uuid[], $4::text[]) AS v (chunk_id, embedding)
           JOIN chunks c ON c.tenant_id = $1 AND c.id = v.chunk_id
         ON CONFLICT ON CONSTRAINT pk_chunk_embeddings DO NOTHING`,
        [this.uow.tenantId, model, batch.map(([id]) => id), batch.map(([, vector]) => toSql([...vector]) as string)],
      );
    }
  }

  /** Gives passages the vector of another passage of the document with the same content. @returns how many got one. */
  async copyEmbeddings(documentId: string, model: string, chunks: readonly IndexedChunk[]): Promise<number> {
    return this.uow.execute(
      `INSERT INTO chunk_embeddings (tenant_id, chunk_id, embedding_model, corpus_id, document_id, generation, embedding)
       SELECT n.tenant_id, n.id, $3, n.corpus_id, n.document_id, n.generation, known.embedding
         FROM chunks n
         JOIN (SELECT DISTINCT ON (c.content_sha256) c.content_sha256, e.embedding ${EMBEDDED_CONTENTS}) AS known
           ON known.content_sha256 = n.content_sha256
        WHERE n.tenant_id = $1 AND n.id = ANY ($5::uuid[])
       ON CONFLICT ON CONSTRAINT pk_chunk_embeddings DO NOTHING`,
      [
        this.uow.tenantId,
        documentId,
        model,
        chunks.map((chunk) => chunk.contentSha256),
        chunks.map((chunk) => chunk.id),
      ],
    );
  }

  /** Passages of the corpus that have no vector of the model, from one id on. */
  async withoutEmbedding(
    corpusId: string,
    model: string,
    afterId: string,
    limit: number,
  ): Promise<{ id: string; searchText: string }[]> {
    return this.uow.rows(
      `SELECT c.id, COALESCE(c.metadata_json ->> 'section' || E'\\n', '') || c.text AS "searchText" FROM chunks c
        WHERE c.tenant_id = $1 AND c.corpus_id = $2 AND c.id > $4::uuid
          AND NOT EXISTS (SELECT FROM chunk_embeddings e
                           WHERE e.tenant_id = c.tenant_id AND e.chunk_id = c.id AND e.embedding_model = $3)
        ORDER BY c.id LIMIT $5`,
      [this.uow.tenantId, corpusId, model, afterId, limit],
    );
  }

  /** Deletes some vectors that the corpus's models do not ask for. @returns how many. */
  async dropEmbeddings(corpusId: string, keep: readonly string[], limit: number): Promise<number> {
    return this.uow.execute(
      `DELETE FROM chunk_embeddings WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM chunk_embeddings
          WHERE tenant_id = $1 AND corpus_id = $2 AND embedding_model <> ALL ($3) LIMIT $4))`,
      [this.uow.tenantId, corpusId, keep, limit],
    );
  }

  /** Adds to the number of the corpus's passages that contain each term. Last in a transaction: others wait for it. */
  async countTerms(corpusId: string, chunks: readonly IndexedChunk[]): Promise<void> {
    const counts = new Map<string, number>();
    for (const { terms } of chunks) for (const term of terms.keys()) counts.set(term, (counts.get(term) ?? 0) + 1);
    await this.uow.execute(
      `INSERT INTO corpus_terms AS t (tenant_id, corpus_id, term, chunk_count)
       SELECT $1, $2, c.term, c.chunks FROM unnest($3::text[], $4::int[]) AS c (term, chunks) ORDER BY c.term
       ON CONFLICT ON CONSTRAINT pk_corpus_terms DO UPDATE SET chunk_count = t.chunk_count + EXCLUDED.chunk_count`,
      [this.uow.tenantId, corpusId, [...counts.keys()], [...counts.values()]],
    );
  }

  async deleteOf(documentIds: readonly string[]): Promise<void> {
    await this.#delete(`document_id = ANY ($2)`, [documentIds]);
  }

  /** Deletes some passages of a generation that is hidden and that nobody writes. @returns how many. */
  async deleteSome(documentId: string, generation: number, limit: number): Promise<number> {
    return this.#delete(
      `document_id = $2 AND generation = $3 AND chunk_index IN (
         SELECT c.chunk_index FROM chunks c JOIN hidden_generations h USING (tenant_id, document_id, generation)
          WHERE c.tenant_id = $1 AND c.document_id = $2 AND c.generation = $3 AND NOT ${BEING_WRITTEN} LIMIT $4)`,
      [documentId, generation, limit],
    );
  }

  /** Deletes passages and takes them out of the counts of their terms. */
  async #delete(condition: string, values: readonly unknown[]): Promise<number> {
    const row = await this.uow.first<{ deleted: number }>(
      `WITH deleted AS (
         DELETE FROM chunks WHERE tenant_id = $1 AND ${condition} RETURNING tenant_id, corpus_id, terms),
       lost AS (
         SELECT d.tenant_id, d.corpus_id, split_part(t.lexeme, ':', 2) AS term, count(*) AS chunks
           FROM deleted d, unnest(d.terms) AS t (lexeme, positions, weights) GROUP BY 1, 2, 3),
       locked AS (
         SELECT t.tenant_id, t.corpus_id, t.term, l.chunks FROM corpus_terms t JOIN lost l USING (tenant_id, corpus_id, term)
          ORDER BY t.term FOR UPDATE OF t),
       counted AS (
         UPDATE corpus_terms t SET chunk_count = t.chunk_count - l.chunks FROM locked l
          WHERE t.tenant_id = l.tenant_id AND t.corpus_id = l.corpus_id AND t.term = l.term RETURNING 1)
       SELECT (SELECT count(*) FROM deleted)::int AS deleted, (SELECT count(*) FROM counted) AS counted`,
      [this.uow.tenantId, ...values],
    );
    return row?.deleted ?? 0;
  }
}

const EMBEDDED_CONTENTS = `FROM chunks c
  JOIN chunk_embeddings e ON e.tenant_id = c.tenant_id AND e.chunk_id = c.id AND e.embedding_model = $3
 WHERE c.tenant_id = $1 AND c.document_id = $2 AND c.content_sha256 = ANY ($4)`;
