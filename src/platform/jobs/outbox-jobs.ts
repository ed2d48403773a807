import { currentContext } from '../../kernel/context.js';
import type { Ids } from '../../kernel/ids.js';
import { Jobs, type JobSpec } from '../../kernel/jobs.js';
import type { Clock } from '../../kernel/time.js';
import type { UnitOfWork } from '../db/index.js';
import { keepContext } from './job-context.js';
import type { OutboxRepository } from './outbox.repository.js';
import type { DeliveryQueue } from './queue.js';
import type { Relay } from './relay.js';

export class OutboxJobs extends Jobs {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly outbox: OutboxRepository,
    private readonly relay: Relay,
    private readonly queue: DeliveryQueue,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {
    super();
  }

  async enqueue<P>(spec: JobSpec<P>, payload: P, options: { id?: string } = {}): Promise<string> {
    if (!this.uow.inTransaction) throw new Error(`${spec.name} must be enqueued in the transaction of its change.`);
    spec.payload.parse(payload);
    const id = options.id ?? this.ids.uuid();
    await this.outbox.insert(
      { id, name: spec.name, payload, context: keepContext(currentContext()) },
      this.clock.now(),
    );
    this.uow.afterCommit(() => this.relay.wake(spec.name));
    return id;
  }

  async depth(spec: { readonly name: string }): Promise<number> {
    // The backlog is in the outbox. The queue is asked as well, because one that is away must be told to the caller.
    const [held, open] = await Promise.all([this.queue.depth(spec.name), this.outbox.open(spec.name)]);
    return Math.max(held, open);
  }
}
