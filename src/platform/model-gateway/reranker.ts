/**
 * Judges how well texts answer a query, more exactly and more slowly than a search does.
 *
 * @throws RERANK_ERROR, INTEGRATION_UNAVAILABLE; the signal's reason.
 */
export abstract class Reranker {
  /** For logs and traces, such as `http/bge-reranker-v2-m3`. */
  abstract readonly id: string;
  /** Whether there is one to ask. */
  abstract readonly enabled: boolean;
  /** Relevance of each text, from 0 to 1, in the order of the texts. Scores of different models do not compare. */
  abstract rerank(query: string, texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]>;
}

/** For installations without a reranker. */
export class NoReranker extends Reranker {
  readonly id = 'none';
  readonly enabled = false;

  rerank(): Promise<readonly number[]> {
    return Promise.reject(new Error('There is no reranker: look at `enabled` first.'));
  }
}
