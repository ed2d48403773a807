import { z } from 'zod';
import type { CircuitBreaker } from '../../kernel/circuit-breaker.js';
import type { Ids } from '../../kernel/ids.js';
import { retry } from '../../kernel/retry.js';
import type { RetryPolicy } from '../../kernel/retry.js';
import type { Secret } from '../../kernel/settings.js';
import type { Clock } from '../../kernel/time.js';
import { modelErrors } from './model-gateway.errors.js';
import { Reranker } from './reranker.js';
import { asFailure, kindOfStatus, parseRetryAfter, UpstreamFailure, upstreamRetry } from './upstream-failure.js';

export interface RerankEndpoint {
  /** With the whole path. */
  readonly url: string;
  readonly apiKey: Secret | undefined;
  /** Undefined for servers that have only one. */
  readonly model: string | undefined;
}

export interface RerankGuards {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly breaker: CircuitBreaker;
  readonly retry: RetryPolicy;
  onRetry?(integration: string): void;
}

const answerShape = z.object({
  results: z.array(z.object({ index: z.number().int(), relevance_score: z.number() })),
});

/** The rerank API that Cohere began and Jina, vLLM, llama.cpp and others speak, with the usual guards around the call. */
export class HttpReranker extends Reranker {
  readonly id: string;
  readonly enabled = true;

  constructor(
    private readonly endpoint: RerankEndpoint,
    private readonly guards: RerankGuards,
  ) {
    super();
    this.id = `http/${endpoint.model ?? new URL(endpoint.url).host}`;
  }

  async rerank(query: string, texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]> {
    if (texts.length === 0) return [];
    const answer = await this.call(query, texts, signal);
    return relevance(scoresOf(answer, texts.length));
  }

  private async call(query: string, texts: readonly string[], signal: AbortSignal | undefined): Promise<unknown> {
    const { clock, ids, breaker } = this.guards;
    try {
      return await breaker.run(
        () =>
          retry((attempt) => this.attempt(query, texts, attempt), {
            ...this.guards.retry,
            ...upstreamRetry,
            clock,
            ids,
            signal,
            onRetry: () => this.guards.onRetry?.(breaker.name),
          }),
        (error) => asFailure(error)?.blamesUpstream === true,
      );
    } catch (error) {
      const failure = asFailure(error);
      if (failure === undefined) throw error;
      throw modelErrors.RERANK_ERROR({ cause: failure });
    }
  }

  /** @throws UpstreamFailure */
  private async attempt(query: string, texts: readonly string[], signal: AbortSignal): Promise<unknown> {
    const { model, url, apiKey } = this.endpoint;
    const body = { model, query, documents: texts, top_n: texts.length, return_documents: false };
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/json',
          ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey.reveal()}` }),
        },
        body: JSON.stringify(body),
        signal,
      });
      const text = await response.text();
      if (!response.ok) throw this.refusal(response, text);
      return parseJson(text);
    } catch (error) {
      if (error instanceof UpstreamFailure) throw error;
      throw new UpstreamFailure('unavailable', { cause: error });
    }
  }

  private refusal({ status, headers }: Response, text: string): UpstreamFailure {
    return new UpstreamFailure(kindOfStatus(status), {
      cause: new Error(`HTTP ${status}: ${text.slice(0, 500)}`),
      retryAfterMs: parseRetryAfter(headers.get('retry-after'), this.guards.clock.now()),
    });
  }
}

/** Undefined when it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The scores in the order of the texts. @throws RERANK_ERROR unless there is exactly one for each. */
function scoresOf(answer: unknown, expected: number): number[] {
  const parsed = answerShape.safeParse(answer);
  if (!parsed.success) throw modelErrors.RERANK_ERROR({ cause: parsed.error });
  const scores = new Map(parsed.data.results.map(({ index, relevance_score }) => [index, relevance_score]));
  const ordered = Array.from({ length: expected }, (_, index) => scores.get(index)).filter((s) => s !== undefined);
  if (ordered.length === expected && parsed.data.results.length === expected) return ordered;
  throw modelErrors.RERANK_ERROR({ cause: new Error('The answer does not have one score for each text.') });
}

/** Beyond what a similarity can be, rounding aside, a score is a logit. */
const LARGEST_SIMILARITY = 1.001;

/**
 * Scores from 0 to 1, in the same order. Most servers answer such scores, some similarities down to -1, where 0 and
 * below mean unrelated, and some the logits of the model.
 */
function relevance(scores: readonly number[]): number[] {
  const areLogits = scores.some((score) => Math.abs(score) > LARGEST_SIMILARITY);
  return scores.map((score) => (areLogits ? 1 / (1 + Math.exp(-score)) : Math.min(1, Math.max(0, score))));
}
