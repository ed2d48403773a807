import { Module } from '@nestjs/common';
import { WebhookDeliveriesRepository } from './deliveries.repository.js';
import { WebhookDeliveryHandler } from './delivery.handler.js';
import { WebhookSender } from './sender.js';
import { Webhooks } from './webhooks.js';

@Module({
  providers: [Webhooks, WebhookDeliveriesRepository, WebhookDeliveryHandler, WebhookSender],
  exports: [Webhooks, WebhookSender],
})
export class WebhooksModule {}
