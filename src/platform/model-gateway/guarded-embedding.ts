import type { CircuitBreaker } from '../../kernel/circuit-breaker.js';
import type { AppError } from '../../kernel/errors.js';
import type { Ids } from '../../kernel/ids.js';
import { retry } from '../../kernel/retry.js';
import type { RetryPolicy } from '../../kernel/retry.js';
import type { Clock } from '../../kernel/time.js';
import { EMBED_DIM, EmbeddingModel } from './embedding-model.js';
import type { EmbeddingKind, EmbeddingVector } from './embedding-model.js';
import { modelErrors } from './model-gateway.errors.js';
import { asFailure, upstreamRetry } from './upstream-failure.js';

/** One provider's protocol, without any resilience of its own. */
export interface EmbeddingTransport {
  readonly id: string;
  /** What one request may hold. */
  readonly maxInputs: number;
  readonly maxTokens: number;
  /** The error to throw while settings are missing; checked before every call. */
  configurationError(): AppError | undefined;
  /**
   * One attempt with one batch. Closes its connection when `signal` fires.
   *
   * @throws UpstreamFailure
   */
  embed(texts: readonly string[], kind: EmbeddingKind, signal: AbortSignal): Promise<readonly EmbeddingVector[]>;
}

export interface EmbeddingGuards {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly breaker: CircuitBreaker;
  /** Its timeout is the limit of one attempt with one batch. A person waits for a query, a job for documents. */
  readonly retry: Readonly<Record<EmbeddingKind, RetryPolicy>>;
  onRetry?(integration: string): void;
}

/** Adds to a transport: batches, the circuit breaker, retries, a check of what came back, errors of our own. */
export class GuardedEmbeddingModel extends EmbeddingModel {
  readonly id: string;

  constructor(
    private readonly transport: EmbeddingTransport,
    private readonly guards: EmbeddingGuards,
  ) {
    super();
    this.id = transport.id;
  }

  /** Batches go one after another; the first failure ends the call, and nothing partial is returned. */
  async embed(
    texts: readonly string[],
    kind: EmbeddingKind,
    signal?: AbortSignal,
  ): Promise<readonly EmbeddingVector[]> {
    const misconfigured = this.transport.configurationError();
    if (misconfigured !== undefined) throw misconfigured;
    const vectors: EmbeddingVector[] = [];
    for (const batch of batches(texts, this.transport)) {
      vectors.push(...checked(await this.call(batch, kind, signal), batch.length));
    }
    return vectors;
  }

  private async call(
    batch: readonly string[],
    kind: EmbeddingKind,
    signal: AbortSignal | undefined,
  ): Promise<readonly EmbeddingVector[]> {
    const { clock, ids, breaker } = this.guards;
    try {
      return await breaker.run(
        () =>
          retry((attempt) => this.transport.embed(batch, kind, attempt), {
            ...this.guards.retry[kind],
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
      throw modelErrors.EMBEDDING_ERROR({ cause: failure });
    }
  }
}

/** Tokens are estimated at four characters each; one text above the limit still goes, alone. */
function* batches(
  texts: readonly string[],
  { maxInputs, maxTokens }: Pick<EmbeddingTransport, 'maxInputs' | 'maxTokens'>,
): Iterable<readonly string[]> {
  let batch: string[] = [];
  let tokens = 0;
  for (const text of texts) {
    const size = Math.ceil(text.length / 4);
    if (batch.length > 0 && (batch.length >= maxInputs || tokens + size > maxTokens)) {
      yield batch;
      batch = [];
      tokens = 0;
    }
    batch.push(text);
    tokens += size;
  }
  if (batch.length > 0) yield batch;
}

function checked(vectors: readonly EmbeddingVector[], expected: number): readonly EmbeddingVector[] {
  if (vectors.length !== expected) throw modelErrors.EMBEDDING_ERROR();
  const wrong = vectors.find((vector) => vector.length !== EMBED_DIM);
  if (wrong !== undefined) {
    throw modelErrors.EMBEDDING_DIMENSION_MISMATCH({ details: { expected: EMBED_DIM, received: wrong.length } });
  }
  if (!vectors.every((vector) => vector.every(Number.isFinite))) throw modelErrors.EMBEDDING_ERROR();
  return vectors;
}
