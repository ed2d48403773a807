import { AttemptTimeout } from '../../kernel/retry.js';

/**
 * What went wrong with a call to a provider, in the same terms for all of them:
 *
 * - `auth`: the credentials were refused, or there are none
 * - `rejected`: the provider refuses this request (4xx)
 * - `throttled`: too many requests (429)
 * - `unavailable`: 5xx, no connection, or a stream that was cut
 * - `timeout`: no answer within our limits
 * - `filtered`: the provider's content filter withheld the answer
 */
export type FailureKind = 'auth' | 'rejected' | 'throttled' | 'unavailable' | 'timeout' | 'filtered';

export class UpstreamFailure extends Error {
  /** Wait that the provider asked for. */
  readonly retryAfterMs: number | undefined;

  /** The provider's own error stays in `cause`, for the log. */
  constructor(
    readonly kind: FailureKind,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(`Upstream failure: ${kind}.`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UpstreamFailure';
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the same request may succeed on another attempt. */
  get retryable(): boolean {
    return this.kind === 'throttled' || this.kind === 'unavailable' || this.kind === 'timeout';
  }

  /** Whether it says that the provider is down, for the circuit breaker. */
  get blamesUpstream(): boolean {
    return this.kind === 'unavailable' || this.kind === 'timeout';
  }
}

export function kindOfStatus(status: number): FailureKind {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429) return 'throttled';
  if (status === 408 || status === 504) return 'timeout';
  return status >= 500 ? 'unavailable' : 'rejected';
}

const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** How fetch names a connection that could not be made, and one that broke. */
const FETCH_FAULTS = new Set(['fetch failed', 'terminated']);

/** Whether the error, or one of its causes, is a fault of the connection. */
export function isConnectionError(error: unknown): boolean {
  let current = error;
  for (let depth = 0; typeof current === 'object' && current !== null && depth < 5; depth += 1) {
    const { code, name, message, cause } = current as Record<string, unknown>;
    if (typeof code === 'string' && CONNECTION_CODES.has(code)) return true;
    if (name === 'TypeError' && typeof message === 'string' && FETCH_FAULTS.has(message)) return true;
    current = cause;
  }
  return false;
}

/** `Retry-After` in ms: seconds or a date. Undefined when absent or unreadable. */
export function parseRetryAfter(header: string | null | undefined, now: Date): number | undefined {
  if (header === null || header === undefined || header.trim() === '') return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - now.getTime() : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** The failure behind an error of one call, the caller's own timeout included; undefined for anything else. */
export function asFailure(error: unknown): UpstreamFailure | undefined {
  if (error instanceof UpstreamFailure) return error;
  return error instanceof AttemptTimeout ? new UpstreamFailure('timeout', { cause: error }) : undefined;
}

/** Which errors `retry` repeats, and after what wait. */
export const upstreamRetry = {
  retryable: (error: unknown): boolean => asFailure(error)?.retryable === true,
  requestedWaitMs: (error: unknown): number | undefined => asFailure(error)?.retryAfterMs,
};
