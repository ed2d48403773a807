import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Log } from '../../../kernel/log.js';
import type { Secret } from '../../../kernel/settings.js';
import { modelSettings, type ModelSettings } from '../../../platform/model-gateway/index.js';
import { WebhookEndpoints, type WebhookDelivery, type WebhookEndpoint } from '../../../platform/webhooks/index.js';
import { billingSettings, type BillingSettings } from '../billing.settings.js';

export const BILLING = 'billing';

/** Why nothing is sent. */
export type BillingOff = 'disabled' | 'not_configured';

/** The receiver of billing events, the same for all tenants. */
@Injectable()
export class BillingEndpoint extends WebhookEndpoints {
  readonly current: WebhookEndpoint | BillingOff;

  constructor(
    @Inject(billingSettings.token) settings: BillingSettings,
    @Inject(modelSettings.token) { callTimeoutMs }: ModelSettings,
    private readonly audit: AuditTrail,
    private readonly log: Log,
  ) {
    super();
    this.current = endpointOf(settings, callTimeoutMs);
  }

  find(key: string): Promise<WebhookEndpoint | undefined> {
    const found = key === BILLING && typeof this.current !== 'string' ? this.current : undefined;
    return Promise.resolve(found);
  }

  async died({ id, eventType, attempts, lastStatus, lastError }: WebhookDelivery): Promise<void> {
    this.log.error({ event: eventType, deliveryId: id, attempts, reason: lastError }, 'A billing event was given up');
    await this.audit.record({
      event: 'billing.webhook.failure',
      outcome: 'failure',
      actor: { type: 'system', id: 'billing_webhook' },
      resourceType: 'webhook_delivery',
      resourceId: id,
      metadata: { event_type: eventType, delivery_id: id, attempts, status_code: lastStatus, reason: lastError },
    });
  }
}

function endpointOf(settings: BillingSettings, callTimeoutMs: number): WebhookEndpoint | BillingOff {
  const { enabled, url, secret, previousSecret, timeoutMs, maxAttempts } = settings;
  if (!enabled) return 'disabled';
  if (url === undefined || secret === undefined) return 'not_configured';
  return {
    url,
    secrets: previousSecret === undefined ? [secret] : [secret, previousSecret],
    timeoutMs: Math.min(timeoutMs, callTimeoutMs),
    maxAttempts,
    headers: ({ type, body }) => ({ 'X-Billing-Event': type, 'X-Billing-Signature': signature(secret, body) }),
  };
}

/** The whole text of the secret is the key, also of one that Standard Webhooks would decode. */
function signature(secret: Secret, body: string): string {
  return createHmac('sha256', secret.reveal()).update(body).digest('hex');
}
