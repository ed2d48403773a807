import { Injectable } from '@nestjs/common';
import { PLANNED_ANEW, UnitOfWork } from '../../../platform/db/index.js';
import type { Hit } from '../domain/fusion.js';
import { anyLexeme, lexemePrefix, sparseVector } from '../domain/lexemes.js';
import type { MetadataFilter } from '../domain/metadata-filter.js';
import { eligible, Parameters } from './eligibility.js';

export interface LexicalRanking {
  readonly corpusId: string;
  /** What each term is worth. */
  readonly worth: ReadonlyMap<string, number>;
  /** Passages that contain one of these are scored, by all terms. */
  readonly proposing: readonly string[];
  readonly filter?: MetadataFilter | undefined;
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
  async rank({ corpusId, worth, proposing, filter, limit }: LexicalRanking): Promise<Hit[]> {
    if (proposing.length === 0) return [];
    const parameters = new Parameters();
    const rows = await this.uow.rows<{ id: string; distance: number }>(
      `${PLANNED_ANEW} SELECT c.id, c.term_weights <#> ${parameters.add(sparseVector(worth))}::sparsevec AS distance
         FROM searchable_chunks c
        WHERE c.tenant_id = ${parameters.add(this.uow.tenantId)} AND c.corpus_id = ${parameters.add(corpusId)}
          AND c.terms @@ ${parameters.add(anyLexeme(lexemePrefix(this.uow.tenantId, corpusId), proposing))}::tsquery
          AND ${eligible('c', filter, parameters)}
        ORDER BY distance, c.id LIMIT ${parameters.add(limit)}`,
      parameters.values,
    );
    return rows.map(({ id, distance }) => ({ id, score: -distance }));
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
  async termsOf(corpusId: string, ids: readonly string[]): Promise<Map<string, ReadonlyMap<string, number>>> {
    const prefix = lexemePrefix(this.uow.tenantId, corpusId);
    const rows = await this.uow.rows<{ id: string; terms: string[]; counts: number[] }>(
      `SELECT c.id, array_agg(t.lexeme) AS terms, array_agg(cardinality(t.positions)) AS counts
         FROM searchable_chunks c, unnest(c.terms) AS t (lexeme, positions, weights)
        WHERE c.tenant_id = $1 AND c.corpus_id = $2 AND c.id = ANY ($3::uuid[]) GROUP BY c.id`,
      [this.uow.tenantId, corpusId, ids],
    );
    return new Map(
      rows.map(({ id, terms, counts }) => [
        id,
        new Map(terms.map((term, at) => [term.slice(prefix.length), counts[at] ?? 0])),
      ]),
    );
  }
}
