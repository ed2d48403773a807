import { abortable, follow } from '../../kernel/abort.js';
import type { CircuitBreaker, Permit } from '../../kernel/circuit-breaker.js';
import type { AppError, ErrorFactory } from '../../kernel/errors.js';
import type { Ids } from '../../kernel/ids.js';
import { retry } from '../../kernel/retry.js';
import type { RetryPolicy } from '../../kernel/retry.js';
import type { Clock } from '../../kernel/time.js';
import { ChatModel } from './chat-model.js';
import type { ChatEvent, ChatOptions, ChatRequest } from './chat-model.js';
import { modelErrors } from './model-gateway.errors.js';
import { asFailure, UpstreamFailure, upstreamRetry } from './upstream-failure.js';
import type { FailureKind } from './upstream-failure.js';

/** One provider's protocol, without any resilience of its own. */
export interface ChatTransport {
  readonly provider: string;
  readonly model: string;
  /** The error to throw while settings are missing; checked before every call. */
  configurationError(): AppError | undefined;
  /**
   * One attempt. Closes its connection when `options.signal` fires.
   *
   * @throws UpstreamFailure, from here and from the iterator.
   */
  open(request: ChatRequest, options: ChatOptions): Promise<AsyncIterable<ChatEvent>>;
  /** How this provider's failures are named to callers. */
  readonly errors: Readonly<Partial<Record<FailureKind, ErrorFactory>>>;
}

export interface ChatLimits {
  /** Whole answer, ms, over all attempts. */
  readonly totalMs: number;
  /** Between two events, ms. Only time spent waiting for the provider counts. */
  readonly idleMs: number;
}

export interface ChatGuards {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly breaker: CircuitBreaker;
  /** Its timeout is the limit for the first event of one attempt. */
  readonly retry: RetryPolicy;
  readonly limits: ChatLimits;
  onRetry?(integration: string): void;
}

/**
 * Adds to a transport: the circuit breaker, retries until the first event, the three time limits, and errors of
 * our own. A call that the caller aborts, or that the provider refuses, does not count against the provider.
 */
export class GuardedChatModel extends ChatModel {
  readonly provider: string;
  readonly model: string;

  constructor(
    private readonly transport: ChatTransport,
    private readonly guards: ChatGuards,
  ) {
    super();
    this.provider = transport.provider;
    this.model = transport.model;
  }

  async *stream(request: ChatRequest, options: ChatOptions): AsyncIterable<ChatEvent> {
    options.signal.throwIfAborted();
    const misconfigured = this.transport.configurationError();
    if (misconfigured !== undefined) throw misconfigured;
    const permit = this.enter();
    const call = new AbortController();
    const unlink = follow(call, options.signal);
    const deadline = this.guards.clock.after(this.guards.limits.totalMs, () =>
      call.abort(new UpstreamFailure('timeout')),
    );
    let answered = false;
    try {
      for await (const event of this.events(request, options, call)) {
        answered = true;
        if (event.type === 'delta' || isCount(event)) yield event;
      }
      permit.succeed();
    } catch (error) {
      options.signal.throwIfAborted();
      const failure = asFailure(error);
      if (failure === undefined) throw error;
      if (failure.blamesUpstream) permit.fail();
      throw (this.transport.errors[failure.kind] ?? modelErrors.LLM_ERROR)({ cause: failure });
    } finally {
      if (answered) permit.succeed();
      else permit.release();
      deadline.cancel();
      unlink();
      call.abort();
    }
  }

  private enter(): Permit {
    const { breaker } = this.guards;
    const permit = breaker.tryEnter();
    if (permit !== undefined) return permit;
    throw modelErrors.LLM_UNAVAILABLE({ headers: { 'Retry-After': String(breaker.retryAfterSeconds) } });
  }

  /** Every wait ends when `call` aborts, whatever the vendor's client does. */
  private async *events(request: ChatRequest, options: ChatOptions, call: AbortController): AsyncIterable<ChatEvent> {
    const { clock, ids, breaker, limits } = this.guards;
    const opened = await retry((attempt) => this.firstEvent(request, options, call.signal, attempt), {
      ...this.guards.retry,
      clock,
      ids,
      signal: call.signal,
      ...upstreamRetry,
      onRetry: () => this.guards.onRetry?.(breaker.name),
    });
    for (let result = opened.first; result.done !== true;) {
      yield result.value;
      const idle = clock.after(limits.idleMs, () => call.abort(new UpstreamFailure('timeout')));
      try {
        result = await abortable(opened.iterator.next(), call.signal);
      } finally {
        idle.cancel();
      }
    }
  }

  private async firstEvent(
    request: ChatRequest,
    options: ChatOptions,
    call: AbortSignal,
    attempt: AbortSignal,
  ): Promise<{ iterator: AsyncIterator<ChatEvent>; first: IteratorResult<ChatEvent> }> {
    const connection = new AbortController();
    follow(connection, attempt);
    follow(connection, call);
    const stream = await this.transport.open(request, { ...options, signal: connection.signal });
    const iterator = stream[Symbol.asyncIterator]();
    return { iterator, first: await iterator.next() };
  }
}

/** Above it a database has no room in an `int`. No answer has as many tokens. */
const MOST_TOKENS = 2 ** 31 - 1;

/** Servers of one's own send anything; a count that is none passes for none. */
function isCount({ inputTokens, outputTokens }: Extract<ChatEvent, { type: 'usage' }>): boolean {
  return [inputTokens, outputTokens].every(
    (tokens) => Number.isSafeInteger(tokens) && tokens >= 0 && tokens <= MOST_TOKENS,
  );
}
