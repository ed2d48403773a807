import { DEFAULT_SEARCH_PLAN } from '../../src/features/corpora/index.js';
import { inverseDocumentFrequency, termWeight, weightedTerms } from '../../src/features/retrieval/domain/bm25.js';
import { defaultWeights, fuse, type Hit } from '../../src/features/retrieval/domain/fusion.js';
import { scoreOf } from '../../src/features/retrieval/domain/passage.js';
import { analyzerFor, type Analyzer } from '../../src/platform/text-analysis/index.js';
import { FakeEmbeddingModel } from '../../src/platform/model-gateway/fake-embedding.js';
import { CORPUS } from './corpus-loader.js';
import { connected } from './services.js';

/** What each leg brings to the fusion, as in the product. */
const DEPTH = 100;

interface CountedPassage {
  readonly id: string;
  readonly documentId: string;
  /** Search words, repetitions included. */
  readonly length: number;
  /** How often it has the words that are asked for. */
  readonly counts: ReadonlyMap<string, number>;
}

export interface ExactResult {
  readonly words: readonly Hit[];
  readonly vector: readonly Hit[];
  readonly fused: readonly Hit[];
}

/**
 * An exhaustive search, apart from the product's: every passage is read and scored by BM25 in this process, every vector
 * is compared without an index. Only the formulas are the product's.
 */
export class ExactSearch {
  readonly #model = new FakeEmbeddingModel();

  private constructor(
    private readonly url: string,
    private readonly tenantId: string,
    private readonly analyzer: Analyzer,
    private readonly passages: readonly CountedPassage[],
  ) {}

  /** @param questions those that can be asked. */
  static async over(url: string, tenantId: string, questions: readonly string[]): Promise<ExactSearch> {
    const analyzer = await analyzerFor(DEFAULT_SEARCH_PLAN.language);
    const asked = new Set(questions.flatMap((question) => analyzer.terms(question)));
    const rows = await asSystem<{ id: string; documentId: string; text: string }>(
      url,
      'SELECT id, document_id AS "documentId", text FROM chunks WHERE tenant_id = $1 AND corpus_id = $2',
      [tenantId, CORPUS],
    );
    const passages = rows.map(({ id, documentId, text }) => {
      const terms = analyzer.terms(text);
      return { id, documentId, length: terms.length, counts: weightedTerms(terms.filter((term) => asked.has(term))) };
    });
    return new ExactSearch(url, tenantId, analyzer, passages);
  }

  /** @param readable documents that may be found; all when absent. Words are as rare as they are in all. */
  async search(question: string, readable?: ReadonlySet<string>): Promise<ExactResult> {
    const [words, vector] = [this.#byWords(question, readable), await this.#byVector(question, readable)];
    const weights = defaultWeights(this.#model.id);
    return { words, vector, fused: fuse({ bm25: words, vector }, weights, DEFAULT_SEARCH_PLAN.fusion) };
  }

  #byWords(question: string, readable: ReadonlySet<string> | undefined): Hit[] {
    const worth = [...weightedTerms(this.analyzer.terms(question))].map(([term, weight]) => {
      const holders = this.passages.filter(({ counts }) => counts.has(term)).length;
      return { term, value: weight * inverseDocumentFrequency(this.passages.length, holders) };
    });
    const found = this.passages.filter(({ documentId }) => readable?.has(documentId) ?? true);
    const hits = found.map(({ id, length, counts }) => {
      const scores = worth.map(({ term, value }) => value * termWeight(counts.get(term) ?? 0, length));
      return { id, score: scores.reduce((sum, score) => sum + score, 0) };
    });
    return hits
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
      .slice(0, DEPTH);
  }

  async #byVector(question: string, readable: ReadonlySet<string> | undefined): Promise<Hit[]> {
    const [vector = []] = await this.#model.embed([question], 'query');
    const rows = await asSystem<{ id: string; distance: number }>(
      this.url,
      `WITH compared AS MATERIALIZED (
         SELECT chunk_id AS id, embedding <=> $3::vector AS distance FROM chunk_embeddings
          WHERE tenant_id = $1 AND corpus_id = $2 AND ($4::text[] IS NULL OR document_id = ANY ($4)))
       SELECT * FROM compared ORDER BY distance, id LIMIT ${DEPTH}`,
      [this.tenantId, CORPUS, JSON.stringify(vector), readable && [...readable]],
    );
    return rows.map(({ id, distance }) => ({ id, score: scoreOf(distance) }));
  }
}

function asSystem<T extends object>(url: string, sql: string, values: readonly unknown[]): Promise<T[]> {
  return connected(url, async (client) => {
    await client.query('SET ROLE nexusrag_system');
    return (await client.query<T>(sql, [...values])).rows;
  });
}
