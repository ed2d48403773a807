import { IsIn, IsOptional } from 'class-validator';
import { PageQuery } from '../../../platform/http/index.js';
import {
  DELIVERY_STATES,
  type DeliveryState,
  type RecordedAttempt,
  type WebhookDelivery,
} from '../../../platform/webhooks/index.js';

export class ListDeliveriesQuery extends PageQuery {
  /** Only deliveries in this state. */
  @IsOptional()
  @IsIn(DELIVERY_STATES)
  state?: DeliveryState;
}

export class WebhookDeliveryDto {
  /** The `webhook-id` of every attempt. */
  id!: string;
  endpoint!: string;
  event_type!: string;
  state!: DeliveryState;
  attempts!: number;
  /** Null unless it is pending. */
  next_attempt_at!: string | null;
  last_status!: number | null;
  last_error!: string | null;
  created_at!: string;
  updated_at!: string;
  finished_at!: string | null;
}

export class WebhookAttemptDto {
  number!: number;
  started_at!: string;
  duration_ms!: number;
  status!: number | null;
  error!: string | null;
}

export class WebhookDeliveryDetailsDto extends WebhookDeliveryDto {
  /** As it was signed. */
  body!: string;
  history!: WebhookAttemptDto[];
}

export function toDeliveryDto(delivery: WebhookDelivery): WebhookDeliveryDto {
  return {
    id: delivery.id,
    endpoint: delivery.endpoint,
    event_type: delivery.eventType,
    state: delivery.state,
    attempts: delivery.attempts,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    last_status: delivery.lastStatus,
    last_error: delivery.lastError,
    created_at: delivery.createdAt.toISOString(),
    updated_at: delivery.updatedAt.toISOString(),
    finished_at: delivery.finishedAt?.toISOString() ?? null,
  };
}

export function toDeliveryDetailsDto(
  delivery: WebhookDelivery & { readonly history: readonly RecordedAttempt[] },
): WebhookDeliveryDetailsDto {
  const history = delivery.history.map(({ number, startedAt, durationMs, status, error }) => {
    return { number, started_at: startedAt.toISOString(), duration_ms: durationMs, status, error };
  });
  return { ...toDeliveryDto(delivery), body: delivery.body, history };
}
