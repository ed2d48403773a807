import { abortable, follow } from './abort.js';
import type { Ids } from './ids.js';
import type { Clock } from './time.js';

export interface RetryPolicy {
  /** Calls in total, the first one included. */
  readonly attempts: number;
  /** Wait before the second call, in ms. Doubles with each further call and varies by ±50 %. */
  readonly backoffMs: number;
  /** Limit of one attempt, in ms. */
  readonly timeoutMs: number;
}

export interface RetryOptions extends RetryPolicy {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Stops the attempt and the wait; the caller then sees the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  retryable(error: unknown): boolean;
  /** Wait in ms that the upstream asked for. Extends the backoff; one above 30 s ends the retries. */
  requestedWaitMs?(error: unknown): number | undefined;
  onRetry?(error: unknown, attempt: number): void;
}

/** An attempt took longer than the policy allows. */
export class AttemptTimeout extends Error {
  constructor(readonly timeoutMs: number) {
    super(`No answer within ${timeoutMs} ms.`);
    this.name = 'AttemptTimeout';
  }
}

/** Beyond this a caller is better served by the error than by waiting. */
const LONGEST_REQUESTED_WAIT_MS = 30_000;

/**
 * Calls until one attempt succeeds, the error is not retryable, or the attempts are used up; then throws the last
 * error. An attempt ends at its timeout even when `call` ignores its signal. The signal given to `call` fires on
 * timeout, on failure and on the caller's abort, never after success.
 */
export async function retry<T>(
  call: (signal: AbortSignal, attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    try {
      return await once((signal) => call(signal, attempt), options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (attempt >= options.attempts || !options.retryable(error)) throw error;
      const requested = options.requestedWaitMs?.(error) ?? 0;
      if (requested > LONGEST_REQUESTED_WAIT_MS) throw error;
      options.onRetry?.(error, attempt);
      await options.clock.sleep(Math.max(backoff(options, attempt), requested), options.signal);
    }
  }
}

function backoff({ backoffMs, ids }: RetryOptions, attempt: number): number {
  return backoffMs * 2 ** (attempt - 1) * (0.5 + ids.fraction());
}

async function once<T>(call: (signal: AbortSignal) => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, timeoutMs, signal } = options;
  const controller = new AbortController();
  const unlink = follow(controller, signal);
  const timer = clock.after(timeoutMs, () => controller.abort(new AttemptTimeout(timeoutMs)));
  try {
    return await abortable(call(controller.signal), controller.signal);
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    timer.cancel();
    unlink();
  }
}
