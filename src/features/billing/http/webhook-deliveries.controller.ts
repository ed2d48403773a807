import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation } from '../../../platform/http/index.js';
import { Webhooks } from '../../../platform/webhooks/index.js';
import {
  ListDeliveriesQuery,
  toDeliveryDetailsDto,
  toDeliveryDto,
  WebhookDeliveryDetailsDto,
  WebhookDeliveryDto,
} from './webhook-deliveries.dto.js';

@Controller('v1/admin/webhooks/deliveries')
export class WebhookDeliveriesController {
  constructor(private readonly webhooks: Webhooks) {}

  @Get()
  @Operation({
    id: 'webhook-deliveries.list',
    summary: 'List the webhook deliveries of the tenant, newest first',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    errors: ['INVALID_CURSOR'],
    returns: [WebhookDeliveryDto],
  })
  async list(@Query() { state, limit = MAX_PAGE, cursor }: ListDeliveriesQuery): Promise<Page<WebhookDeliveryDto>> {
    return (await this.webhooks.list(state, limit, cursor)).map(toDeliveryDto);
  }

  @Get(':id')
  @Operation({
    id: 'webhook-deliveries.get',
    summary: 'Get a webhook delivery with its body and its attempts',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    errors: ['NOT_FOUND'],
    returns: WebhookDeliveryDetailsDto,
  })
  async get(@Param('id') id: string): Promise<WebhookDeliveryDetailsDto> {
    return toDeliveryDetailsDto(await this.webhooks.get(id));
  }

  @Post(':id/replay')
  @Operation({
    id: 'webhook-deliveries.replay',
    summary: 'Send a dead or cancelled delivery again',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    status: 202,
    audit: ['webhook.delivery.replayed'],
    errors: ['NOT_FOUND', 'CONFLICT'],
    returns: WebhookDeliveryDto,
  })
  async replay(@Param('id') id: string): Promise<WebhookDeliveryDto> {
    return toDeliveryDto(await this.webhooks.replay(id));
  }
}
