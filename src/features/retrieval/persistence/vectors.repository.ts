import { Inject, Injectable } from '@nestjs/common';
import { toSql } from 'pgvector';
import { PLANNED_ANEW, UnitOfWork } from '../../../platform/db/index.js';
import type { Hit } from '../domain/fusion.js';
import type { MetadataFilter } from '../domain/metadata-filter.js';
import { scoreOf } from '../domain/passage.js';
import { retrievalSettings, type RetrievalSettings } from '../retrieval.settings.js';
import { eligible, Parameters } from './eligibility.js';

export interface VectorSearch {
  readonly corpusId: string;
  readonly embeddingModel: string;
  readonly vector: readonly number[];
  /** Passages of the corpus. */
  readonly passages: number;
  readonly filter?: MetadataFilter | undefined;
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
   * The vector index spans corpora and tenants. When a filter leaves it short, the corpus is compared one by one, so
   * that there are `limit` results whenever the corpus has them.
   */
  async nearest(search: VectorSearch): Promise<Hit[]> {
    if (search.passages > this.settings.comparedOneByOne) {
      const approximate = await this.#approximate(search);
      if (approximate.length === Math.min(search.limit, search.passages)) return approximate;
    }
    return this.#exact(search);
  }

  async #approximate(search: VectorSearch): Promise<Hit[]> {
    const parameters = new Parameters();
    // Postgres 15 takes the index only for an order by distance alone; the ties are sorted afterwards.
    return this.#hits(
      `${PLANNED_ANEW} SELECT * FROM (
         SELECT ${this.#distances(search, parameters)}
          ORDER BY distance FETCH FIRST ${parameters.add(search.limit)} ROWS WITH TIES) AS nearest
        ORDER BY distance, id LIMIT ${parameters.add(search.limit)}`,
      parameters,
    );
  }

  async #exact(search: VectorSearch): Promise<Hit[]> {
    const parameters = new Parameters();
    return this.#hits(
      `${PLANNED_ANEW} WITH compared AS MATERIALIZED (SELECT ${this.#distances(search, parameters)})
       SELECT * FROM compared ORDER BY distance, id LIMIT ${parameters.add(search.limit)}`,
      parameters,
    );
  }

  async #hits(sql: string, parameters: Parameters): Promise<Hit[]> {
    const rows = await this.uow.rows<{ id: string; distance: number }>(sql, parameters.values);
    return rows.map(({ id, distance }) => ({ id, score: scoreOf(distance) }));
  }

  #distances({ corpusId, embeddingModel, vector, filter }: VectorSearch, parameters: Parameters): string {
    const tenant = parameters.add(this.uow.tenantId);
    return `e.chunk_id AS id, e.embedding <=> ${parameters.add(toSql([...vector]))}::vector AS distance
       FROM chunk_embeddings e
      WHERE e.tenant_id = ${tenant} AND e.corpus_id = ${parameters.add(corpusId)}
        AND e.embedding_model = ${parameters.add(embeddingModel)}
        AND (e.document_id, e.generation) NOT IN (
          SELECT h.document_id, h.generation FROM hidden_generations h WHERE h.tenant_id = ${tenant})
        AND ${eligible('e', filter, parameters)}`;
  }
}
