import { Module } from '@nestjs/common';
import { WebhooksModule } from '../../platform/webhooks/index.js';
import { BillingEndpoint } from './application/billing-endpoint.js';
import { BillingEvents } from './application/billing-events.js';
import { BillingWebhookTest } from './application/billing-webhook-test.js';
import { BillingWebhookController } from './http/billing-webhook.controller.js';
import { WebhookDeliveriesController } from './http/webhook-deliveries.controller.js';

@Module({
  imports: [WebhooksModule],
  controllers: [BillingWebhookController, WebhookDeliveriesController],
  providers: [BillingEndpoint, BillingEvents, BillingWebhookTest],
  exports: [BillingEndpoint, BillingEvents],
})
export class BillingModule {}
