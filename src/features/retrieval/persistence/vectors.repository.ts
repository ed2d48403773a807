import { Inject, Injectable } from '@nestjs/common';
import { toSql } from 'pgvector';
import { PLANNED_ANEW, SqlParameters, UnitOfWork } from '../../../platform/db/index.js';
import { scoreOf } from '../domain/passage.js';
import { retrievalSettings, type RetrievalSettings } from '../retrieval.settings.js';
import { eligible, eligibleDocuments, type Candidate, type Eligibility } from './eligibility.js';

export interface VectorSearch {
  readonly corpusId: string;
  readonly embeddingModel: string;
  readonly vector: readonly number[];
  readonly eligibility: Eligibility;
  readonly limit: number;
}

/** The vector leg: passages by cosine distance, equal ones in the order of ids. */
@Injectable()
export class VectorsRepository {
  constructor(
    private readonly uow: UnitOfWork,
    @Inject(retrievalSettings.token) private readonly settings: Pick<RetrievalSettings, 'comparedOneByOne'>,
  ) {}

  /**
   * The vector index spans corpora and tenants. When what may be found leaves it short, all of that is compared one by
   * one, so that there are `limit` results whenever the corpus has them.
   */
  async nearest(search: VectorSearch): Promise<Candidate[]> {
    if (search.eligibility.passages > this.settings.comparedOneByOne) {
      const approximate = await this.#approximate(search);
      if (approximate.length === search.limit) return approximate;
    }
    return this.#exact(search);
  }

  async #approximate(search: VectorSearch): Promise<Candidate[]> {
    const parameters = new SqlParameters();
    const limit = parameters.add(search.limit);
    // Postgres 15 takes the index only for an order by distance alone; the ties are sorted afterwards.
    return this.#hits(
      `SELECT * FROM (
         SELECT ${this.#distances(search, parameters)} FROM chunk_embeddings e
          WHERE e.tenant_id = ${parameters.add(this.uow.tenantId)} AND ${this.#searched(search, parameters)}
            AND ${eligible('e', search.eligibility, parameters)}
          ORDER BY distance FETCH FIRST ${limit} ROWS WITH TIES) AS nearest
        ORDER BY distance, id LIMIT ${limit}`,
      parameters,
    );
  }

  /** Reads the vectors of eligible documents only. */
  async #exact(search: VectorSearch): Promise<Candidate[]> {
    const parameters = new SqlParameters();
    const tenant = parameters.add(this.uow.tenantId);
    const documents = eligibleDocuments(this.uow.tenantId, search.corpusId, search.eligibility, parameters);
    const vectors =
      documents === undefined
        ? 'chunk_embeddings e'
        : `(${documents}) AS d CROSS JOIN LATERAL (
             SELECT * FROM chunk_embeddings WHERE tenant_id = ${tenant} AND document_id = d.id OFFSET 0) AS e`;
    return this.#hits(
      `WITH compared AS MATERIALIZED (
         SELECT ${this.#distances(search, parameters)} FROM ${vectors}
          WHERE e.tenant_id = ${tenant} AND ${this.#searched(search, parameters)})
       SELECT * FROM compared ORDER BY distance, id LIMIT ${parameters.add(search.limit)}`,
      parameters,
    );
  }

  async #hits(sql: string, parameters: SqlParameters): Promise<Candidate[]> {
    const rows = await this.uow.rows<{ id: string; documentId: string; distance: number }>(
      `${PLANNED_ANEW} ${sql}`,
      parameters.values,
    );
    return rows.map(({ id, documentId, distance }) => ({ id, documentId, score: scoreOf(distance) }));
  }

  #distances({ vector }: VectorSearch, parameters: SqlParameters): string {
    return `e.chunk_id AS id, e.document_id AS "documentId",
            e.embedding <=> ${parameters.add(toSql([...vector]))}::vector AS distance`;
  }

  /** Condition that a vector is of the corpus and the model, and of a generation that is shown. */
  #searched({ corpusId, embeddingModel }: VectorSearch, parameters: SqlParameters): string {
    return `e.corpus_id = ${parameters.add(corpusId)} AND e.embedding_model = ${parameters.add(embeddingModel)}
        AND (e.document_id, e.generation) NOT IN (SELECT h.document_id, h.generation FROM hidden_generations h
                                                   WHERE h.tenant_id = ${parameters.add(this.uow.tenantId)})`;
  }
}
