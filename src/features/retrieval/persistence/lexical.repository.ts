import { Injectable } from '@nestjs/common';
import { PLANNED_ANEW, SqlParameters, UnitOfWork } from '../../../platform/db/index.js';
import { anyLexeme, lexemePrefix, sparseVector } from '../domain/lexemes.js';
import { eligible, type Candidate, type Eligibility } from './eligibility.js';

export interface LexicalRanking {
  readonly corpusId: string;
  /** What each term is worth. */
  readonly worth: ReadonlyMap<string, number>;
  /** Passages that contain one of these are scored, by all terms. */
  readonly proposing: readonly string[];
  readonly eligibility: Eligibility;
  readonly limit: number;
}

/**
 * The BM25 leg. Asks the view `searchable_chunks`: row-level security on the table itself would forbid the index of
 * words, because its operator may not see rows before the policy has.
 */
@Injectable()
export class LexicalRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Best first, equal scores in the order of ids. */
  async rank({ corpusId, worth, proposing, eligibility, limit }: LexicalRanking): Promise<Candidate[]> {
    if (proposing.length === 0) return [];
    const parameters = new SqlParameters();
    const rows = await this.uow.rows<{ id: string; documentId: string; distance: number }>(
      `${PLANNED_ANEW} SELECT c.id, c.document_id AS "documentId", c.distance FROM (
         SELECT c.tenant_id, c.id, c.document_id,
                c.term_weights <#> ${parameters.add(sparseVector(worth))}::sparsevec AS distance
           FROM searchable_chunks c
          WHERE c.tenant_id = ${parameters.add(this.uow.tenantId)} AND c.corpus_id = ${parameters.add(corpusId)}
            AND c.terms @@ ${parameters.add(anyLexeme(lexemePrefix(this.uow.tenantId, corpusId), proposing))}::tsquery
          ORDER BY distance, c.id) AS c
        WHERE ${eligible('c', eligibility, parameters)} LIMIT ${parameters.add(limit)}`,
      parameters.values,
    );
    return rows.map(({ id, documentId, distance }) => ({ id, documentId, score: -distance }));
  }

  /** Passages of the corpus that contain each term; terms that none contains are left out. */
  async holders(corpusId: string, terms: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.uow.rows<{ term: string; holders: number }>(
      `SELECT term, chunk_count AS holders FROM corpus_terms
        WHERE tenant_id = $1 AND corpus_id = $2 AND term = ANY ($3) AND chunk_count > 0`,
      [this.uow.tenantId, corpusId, terms],
    );
    return new Map(rows.map(({ term, holders }) => [term, holders]));
  }

  /** Terms of passages with their counts, without the corpus's prefix. */
  async termsOf(
    corpusId: string,
    ids: readonly string[],
    eligibility: Eligibility,
  ): Promise<Map<string, ReadonlyMap<string, number>>> {
    const prefix = lexemePrefix(this.uow.tenantId, corpusId);
    const parameters = new SqlParameters();
    const rows = await this.uow.rows<{ id: string; terms: string[]; counts: number[] }>(
      `SELECT c.id, array_agg(t.lexeme) AS terms, array_agg(cardinality(t.positions)) AS counts
         FROM searchable_chunks c, unnest(c.terms) AS t (lexeme, positions, weights)
        WHERE c.tenant_id = ${parameters.add(this.uow.tenantId)} AND c.corpus_id = ${parameters.add(corpusId)}
          AND c.id = ANY (${parameters.add(ids)}::uuid[])
          AND ${eligible('c', eligibility, parameters)} GROUP BY c.id`,
      parameters.values,
    );
    return new Map(
      rows.map(({ id, terms, counts }) => [
        id,
        new Map(terms.map((term, at) => [term.slice(prefix.length), counts[at] ?? 0])),
      ]),
    );
  }
}
