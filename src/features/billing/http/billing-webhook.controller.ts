import { Controller, Post } from '@nestjs/common';
import { currentContext } from '../../../kernel/context.js';
import { Operation } from '../../../platform/http/index.js';
import { BillingWebhookTest } from '../application/billing-webhook-test.js';
import { BillingWebhookTestDto } from './billing-webhook.dto.js';

@Controller('v1/self-serve/billing')
export class BillingWebhookController {
  constructor(private readonly test: BillingWebhookTest) {}

  @Post('webhook-test')
  @Operation({
    id: 'billing.testWebhook',
    summary: 'Send a test event to the billing webhook, once, and tell what it answered',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    feature: 'feature.billing_webhook_test',
    audit: ['selfserve.billing_webhook_tested'],
    errors: ['BILLING_WEBHOOK_NOT_CONFIGURED'],
    returns: BillingWebhookTestDto,
  })
  async send(): Promise<BillingWebhookTestDto> {
    const { sent, statusCode, deliveryId, message } = await this.test.send(currentContext().tenantId ?? '');
    return { sent, status_code: statusCode, delivery_id: deliveryId, message };
  }
}
