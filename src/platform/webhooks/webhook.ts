import type { Secret } from '../../kernel/settings.js';

export interface WebhookEvent {
  readonly type: string;
  /** Exactly what is signed and sent: JSON. */
  readonly body: string;
}

/** Where and how the deliveries of one endpoint are sent, as the settings say at that moment. */
export interface WebhookEndpoint {
  readonly url: string;
  /** Every delivery is signed with each: the current one first, while they rotate the former one after it. */
  readonly secrets: readonly [Secret, ...Secret[]];
  /** Limit of one attempt, ms, from looking the name up to the answer. */
  readonly timeoutMs: number;
  /** Attempts before a delivery is dead; again as many after each replay. */
  readonly maxAttempts: number;
  /** Headers of its own. Those of Standard Webhooks come on top and cannot be replaced. */
  headers(event: WebhookEvent): Readonly<Record<string, string>>;
}

/** `cancelled`: its endpoint was switched off before it was delivered. Dead and cancelled ones can be replayed. */
export const DELIVERY_STATES = ['pending', 'delivered', 'dead', 'cancelled'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface WebhookDelivery {
  /** Also the `webhook-id` of every attempt. */
  readonly id: string;
  readonly endpoint: string;
  readonly eventType: string;
  readonly body: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Attempts before the last replay. */
  readonly replayedAfter: number;
  readonly nextAttemptAt: Date | null;
  readonly lastStatus: number | null;
  /** `http_<status>`, how the connection failed, or why no attempt was made. */
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly finishedAt: Date | null;
}

/** One call of a receiver. Status and error are both null never, and both set for an answer that is no success. */
export interface WebhookAttempt {
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  /** What a 429 or 503 asked for, ms. */
  readonly retryAfterMs: number;
}

/** Port: the endpoints that features send to, by the key under which they send. */
export abstract class WebhookEndpoints {
  /** Undefined when it is switched off or not configured: its deliveries are cancelled. Outside any transaction. */
  abstract find(key: string): Promise<WebhookEndpoint | undefined>;
  /** Called once in the transaction in which a delivery dies. */
  abstract died(delivery: WebhookDelivery): Promise<void>;
}
