import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../kernel/audit.js';
import { commonErrors } from '../../kernel/common-errors.js';
import type { Page } from '../../kernel/cursor.js';
import { Ids } from '../../kernel/ids.js';
import { Jobs } from '../../kernel/jobs.js';
import { Clock } from '../../kernel/time.js';
import { UnitOfWork } from '../db/index.js';
import { WebhookDeliveriesRepository, type RecordedAttempt } from './deliveries.repository.js';
import type { DeliveryState, WebhookDelivery, WebhookEvent } from './webhook.js';
import { webhookJob } from './webhooks.jobs.js';

const PRUNED_AT_ONCE = 1_000;

/** Events to receivers outside: sent at least once, kept until they are accepted, dead or pruned. */
@Injectable()
export class Webhooks {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly deliveries: WebhookDeliveriesRepository,
    private readonly jobs: Jobs,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /**
   * Sends an event of the context's tenant after the current transaction committed, and not at all when it does not.
   *
   * @param endpoint key under which `WebhookEndpoints` finds where it goes.
   * @returns the delivery's id. @throws Error outside a transaction.
   */
  async send(endpoint: string, { type, body }: WebhookEvent): Promise<string> {
    const id = this.ids.uuid();
    await this.jobs.enqueue(webhookJob, { deliveryId: id }, { id });
    await this.deliveries.insert({ id, endpoint, eventType: type, body, jobId: id }, this.clock.now());
    return id;
  }

  /** Newest first. @throws INVALID_CURSOR */
  async list(state: DeliveryState | undefined, limit: number, cursor?: string): Promise<Page<WebhookDelivery>> {
    return this.uow.read(() => this.deliveries.list(state, limit, cursor));
  }

  /** @throws NOT_FOUND */
  async get(id: string): Promise<WebhookDelivery & { readonly history: readonly RecordedAttempt[] }> {
    return this.uow.read(async () => ({ ...(await this.#require(id)), history: await this.deliveries.attempts(id) }));
  }

  /**
   * Sends a dead or cancelled delivery again, at once and with all its attempts anew. An endpoint that had answered
   * that it is gone is tried again.
   *
   * @throws NOT_FOUND; CONFLICT for a delivery that is neither.
   */
  async replay(id: string): Promise<WebhookDelivery> {
    const jobId = this.ids.uuid();
    return this.uow.run(async () => {
      const delivery = await this.deliveries.reopen(id, jobId, this.clock.now());
      if (delivery === undefined) {
        await this.#require(id);
        throw commonErrors.CONFLICT({ message: 'Only a delivery that is dead or cancelled can be sent again.' });
      }
      await this.deliveries.resumeEndpoint(delivery.endpoint);
      await this.jobs.enqueue(webhookJob, { deliveryId: id }, { id: jobId });
      await this.audit.record({
        event: 'webhook.delivery.replayed',
        outcome: 'success',
        resourceType: 'webhook_delivery',
        resourceId: id,
        metadata: { endpoint: delivery.endpoint, event_type: delivery.eventType },
      });
      return delivery;
    });
  }

  /** Deletes deliveries of all tenants that ended long enough ago, and returns how many. */
  async prune(keepMs: number): Promise<number> {
    const before = new Date(this.clock.now().getTime() - keepMs);
    for (let total = 0; ;) {
      const deleted = await this.deliveries.prune(before, PRUNED_AT_ONCE);
      total += deleted;
      if (deleted < PRUNED_AT_ONCE) return total;
    }
  }

  async #require(id: string): Promise<WebhookDelivery> {
    const delivery = await this.deliveries.find(id);
    if (delivery === undefined) throw commonErrors.NOT_FOUND({ message: 'No such delivery.' });
    return delivery;
  }
}
