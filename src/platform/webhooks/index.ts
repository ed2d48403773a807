export type { RecordedAttempt } from './deliveries.repository.js';
export { WebhookDeliveryHandler } from './delivery.handler.js';
export { WebhookSender } from './sender.js';
export { secretFault } from './signature.js';
export {
  DELIVERY_STATES,
  WebhookEndpoints,
  type DeliveryState,
  type WebhookAttempt,
  type WebhookDelivery,
  type WebhookEndpoint,
  type WebhookEvent,
} from './webhook.js';
export { webhookAudit } from './webhooks.audit.js';
export { webhookJob } from './webhooks.jobs.js';
export { WebhooksModule } from './webhooks.module.js';
export { Webhooks } from './webhooks.js';
export { webhookSettings, type WebhookSettings } from './webhooks.settings.js';
