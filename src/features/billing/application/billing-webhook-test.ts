import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { WebhookSender, type WebhookAttempt } from '../../../platform/webhooks/index.js';
import { billingErrors } from '../billing.errors.js';
import { BillingEndpoint } from './billing-endpoint.js';
import { billingEvent } from './billing-events.js';

export interface BillingWebhookTestResult {
  readonly sent: boolean;
  readonly statusCode: number | null;
  readonly deliveryId: string;
  readonly message: string;
}

const TYPE = 'billing.webhook.test';

const MESSAGES: Readonly<Record<string, string>> = {
  target_not_allowed: 'The address of the receiver is not allowed: it is private, local or reserved.',
  name_not_found: 'The name of the receiver has no address.',
  timeout: 'The receiver did not answer in time.',
  connection_failed: 'The receiver could not be reached, or hung up.',
};

/** Sends one test event while the caller waits. It is tried once, whatever the circuit breaker says, and not kept. */
@Injectable()
export class BillingWebhookTest {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly endpoint: BillingEndpoint,
    private readonly sender: WebhookSender,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** @throws BILLING_WEBHOOK_NOT_CONFIGURED */
  async send(tenantId: string): Promise<BillingWebhookTestResult> {
    const endpoint = this.endpoint.current;
    if (typeof endpoint === 'string') {
      await this.#record('failure', { reason: endpoint });
      throw billingErrors.BILLING_WEBHOOK_NOT_CONFIGURED({ details: { reason: endpoint } });
    }
    const deliveryId = this.ids.uuid();
    const body = billingEvent(TYPE, tenantId, { delivery_id: deliveryId }, this.clock.now());
    const attempt = await this.sender.attempt(deliveryId, { type: TYPE, body }, endpoint);
    const sent = attempt.error === null;
    await this.#record(sent ? 'success' : 'failure', { delivery_id: deliveryId, status_code: attempt.status, sent });
    return { sent, statusCode: attempt.status, deliveryId, message: describe(attempt) };
  }

  #record(outcome: 'success' | 'failure', metadata: Readonly<Record<string, unknown>>): Promise<void> {
    return this.uow.run(() => this.audit.record({ event: 'selfserve.billing_webhook_tested', outcome, metadata }));
  }
}

function describe({ status, error }: WebhookAttempt): string {
  if (error === null) return 'The receiver accepted the event.';
  return MESSAGES[error] ?? `The receiver answered with status ${status}.`;
}
