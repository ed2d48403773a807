import { Inject, Injectable } from '@nestjs/common';
import { CircuitBreaker, type Permit } from '../../kernel/circuit-breaker.js';
import { Ids } from '../../kernel/ids.js';
import { Log } from '../../kernel/log.js';
import { Clock } from '../../kernel/time.js';
import { Egress, EgressFailure } from '../http-egress/index.js';
import { breakerPolicy, modelSettings, type ModelSettings } from '../model-gateway/index.js';
import { standardHeaders } from './signature.js';
import { requestedWaitMs } from './verdict.js';
import type { WebhookAttempt, WebhookEndpoint, WebhookEvent } from './webhook.js';

/** Breakers of so many endpoints are remembered; one that is forgotten begins closed. */
const MOST_BREAKERS = 1_000;

/** Nobody waits longer for a breaker at a time, so that after an outage the last one is sent within twice that. */
const LONGEST_BREAKER_WAIT_MS = 300_000;

/** Makes single attempts. */
@Injectable()
export class WebhookSender {
  readonly #breakers = new Map<string, CircuitBreaker>();

  constructor(
    private readonly egress: Egress,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly log: Log,
    @Inject(modelSettings.token) private readonly settings: ModelSettings,
  ) {}

  /**
   * Leave to make one attempt, or the time at which to ask again: an endpoint that failed several times in a row is
   * left alone for a while. Those that wait come back one by one, and the less often the longer they have waited: a
   * backlog must not keep the database busy through a long outage.
   */
  enter(key: string, { url }: WebhookEndpoint, dueSince: Date): Permit | Date {
    const breaker = this.#breaker(key, url);
    const now = this.clock.now().getTime();
    const patienceMs = Math.min((now - dueSince.getTime()) / 4, LONGEST_BREAKER_WAIT_MS);
    const waitMs = Math.max(breaker.retryAfterSeconds * 1000, patienceMs) * (1 + this.ids.fraction());
    return breaker.tryEnter() ?? new Date(now + waitMs);
  }

  /**
   * One signed call. Whatever the receiver does becomes an attempt.
   *
   * @throws the reason of `signal` when it fires first.
   */
  async attempt(
    id: string,
    event: WebhookEvent,
    endpoint: WebhookEndpoint,
    signal?: AbortSignal,
  ): Promise<WebhookAttempt> {
    const [startedAt, began] = [this.clock.now(), this.clock.monotonic()];
    const made = (status: number | null, error: string | null, retryAfterMs = 0): WebhookAttempt => {
      return { startedAt, durationMs: Math.round(this.clock.monotonic() - began), status, error, retryAfterMs };
    };
    try {
      const { status, headers } = await this.egress.post({
        url: endpoint.url,
        headers: {
          ...endpoint.headers(event),
          'Content-Type': 'application/json',
          'User-Agent': 'NexusRAG-Webhooks/1',
          ...standardHeaders(id, startedAt, event.body, endpoint.secrets),
        },
        body: event.body,
        timeoutMs: endpoint.timeoutMs,
        signal,
      });
      if (status >= 200 && status < 300) return made(status, null);
      return made(status, `http_${status}`, requestedWaitMs(status, headers['retry-after'], this.clock.now()));
    } catch (error) {
      if (error instanceof EgressFailure) return made(null, error.fault);
      throw error;
    }
  }

  #breaker(key: string, url: string): CircuitBreaker {
    const name = `${key} ${url}`;
    const known = this.#breakers.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#breakers.keys();
    if (oldest !== undefined && this.#breakers.size >= MOST_BREAKERS) this.#breakers.delete(oldest);
    const breaker = new CircuitBreaker(`${key}.webhook`, {
      policy: breakerPolicy(this.settings),
      clock: this.clock,
      onTransition: (integration, state) => this.log.warn({ integration, state }, 'A circuit breaker has changed'),
    });
    this.#breakers.set(name, breaker);
    return breaker;
  }
}

/** Whether an attempt blames the receiver's health: no answer, or a 5xx. */
export function isOutage({ status, error }: WebhookAttempt): boolean {
  return error !== null && (status === null || status >= 500);
}
