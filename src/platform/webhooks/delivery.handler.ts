import { Inject, Injectable } from '@nestjs/common';
import { sha256Hex } from '../../kernel/hash.js';
import { Postponed, type JobHandler, type JobRun } from '../../kernel/jobs.js';
import { Clock } from '../../kernel/time.js';
import { UnitOfWork } from '../db/index.js';
import { WebhookDeliveriesRepository, type OpenDelivery } from './deliveries.repository.js';
import { isOutage, WebhookSender } from './sender.js';
import { judge } from './verdict.js';
import { WebhookEndpoints, type WebhookAttempt, type WebhookEndpoint } from './webhook.js';
import { webhookSettings, type WebhookSettings } from './webhooks.settings.js';

/** Jobs may start a little before their time. */
const EARLY_MS = 1_000;

type Payload = { readonly deliveryId: string };

/**
 * Makes the next attempt of a delivery and postpones its job to the one after. What the receiver answered and what
 * follows from it are one transaction; a worker that dies before it makes the attempt again, under the same id.
 */
@Injectable()
export class WebhookDeliveryHandler implements JobHandler<Payload> {
  readonly #delaysMs: readonly number[];

  constructor(
    private readonly uow: UnitOfWork,
    private readonly deliveries: WebhookDeliveriesRepository,
    private readonly endpoints: WebhookEndpoints,
    private readonly sender: WebhookSender,
    private readonly clock: Clock,
    @Inject(webhookSettings.token) { retryDelays }: WebhookSettings,
  ) {
    this.#delaysMs = retryDelays.map((seconds) => Number(seconds) * 1000);
  }

  async run(job: JobRun<Payload>): Promise<void> {
    const delivery = await this.uow.read(() => this.deliveries.open(job.payload.deliveryId, job.id));
    if (delivery === undefined) return;
    const { nextAttemptAt } = delivery;
    if (nextAttemptAt > this.#in(EARLY_MS)) throw new Postponed(nextAttemptAt);
    const endpoint = await this.endpoints.find(delivery.endpoint);
    if (endpoint === undefined) return this.#end(job, 'cancelled', 'endpoint_off');
    if (delivery.stoppedEndpoint === fingerprint(endpoint)) return this.#end(job, 'dead', 'endpoint_gone');
    const attempt = await this.#attempt(delivery, endpoint, job.signal);
    await this.#record(delivery, endpoint, attempt);
  }

  /** The worker died again and again, or our own services failed. */
  async failed(job: JobRun<Payload>): Promise<void> {
    await this.#end(job, 'dead', 'not_attempted');
  }

  async #attempt(delivery: OpenDelivery, endpoint: WebhookEndpoint, signal: AbortSignal): Promise<WebhookAttempt> {
    const permit = this.sender.enter(delivery.endpoint, endpoint, delivery.nextAttemptAt);
    if (permit instanceof Date) throw new Postponed(permit);
    try {
      const event = { type: delivery.eventType, body: delivery.body };
      const attempt = await this.sender.attempt(delivery.id, event, endpoint, signal);
      if (isOutage(attempt)) permit.fail();
      else permit.succeed();
      return attempt;
    } finally {
      permit.release();
    }
  }

  async #record(delivery: OpenDelivery, endpoint: WebhookEndpoint, attempt: WebhookAttempt): Promise<void> {
    const { maxAttempts } = endpoint;
    const attempts = delivery.attempts + 1;
    const verdict = judge(attempt, attempts - delivery.replayedAfter, { maxAttempts, delaysMs: this.#delaysMs });
    const next = verdict.state === 'pending' ? this.#in(verdict.waitMs) : null;
    const now = this.clock.now();
    const held = await this.uow.run(async () => {
      if (!(await this.deliveries.record(delivery, attempt, verdict.state, next, now))) return false;
      if (verdict.stopsEndpoint) await this.deliveries.stopEndpoint(delivery.endpoint, fingerprint(endpoint), now);
      if (verdict.state === 'dead') {
        await this.endpoints.died({ ...delivery, attempts, lastStatus: attempt.status, lastError: attempt.error });
      }
      return true;
    });
    // Somebody who had lost this job recorded an attempt meanwhile: look again what is left to do.
    if (!held) throw new Postponed(now);
    if (next !== null) throw new Postponed(next);
  }

  async #end(job: JobRun<Payload>, state: 'dead' | 'cancelled', reason: string): Promise<void> {
    await this.uow.run(async () => {
      const ended = await this.deliveries.end(job.payload.deliveryId, job.id, state, reason, this.clock.now());
      if (ended?.state === 'dead') await this.endpoints.died(ended);
    });
  }

  #in(ms: number): Date {
    return new Date(this.clock.now().getTime() + ms);
  }
}

/** Changes with the address and with the secrets: then the endpoint is another one. */
function fingerprint({ url, secrets }: WebhookEndpoint): string {
  return sha256Hex(JSON.stringify([url, ...secrets.map((secret) => secret.reveal())]));
}
