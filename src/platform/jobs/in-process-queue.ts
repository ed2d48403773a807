import { AsyncResource } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DeliveryQueue, deliveryKey, type Consumer, type Delivery } from './queue.js';

/**
 * The deliveries of one job name.
 *
 * Between two of them it lets timers and sockets have their turn. The embedded database answers without leaving the
 * microtasks: jobs that call nothing else, and bring each other back, would keep the process from everything.
 */
class Lane {
  readonly held = new Set<string>();
  readonly waiting: Delivery[] = [];
  readonly running = new Set<Promise<void>>();
  handler: ((delivery: Delivery) => Promise<void>) | undefined;
  concurrency = 0;

  pump(): void {
    while (this.handler !== undefined && this.running.size < this.concurrency) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      const run = this.handler(next)
        .catch(() => undefined)
        .then(() => nextTurn())
        .finally(() => {
          this.running.delete(run);
          this.held.delete(deliveryKey(next));
          this.pump();
        });
      this.running.add(run);
    }
  }
}

/** For a process that is alone. */
export class InProcessQueue extends DeliveryQueue {
  readonly #lanes = new Map<string, Lane>();

  async add(delivery: Delivery): Promise<void> {
    const lane = this.#lane(delivery.name);
    const key = deliveryKey(delivery);
    if (lane.held.has(key)) return;
    lane.held.add(key);
    lane.waiting.push(delivery);
    lane.pump();
  }

  async depth(name: string): Promise<number> {
    return this.#lanes.get(name)?.held.size ?? 0;
  }

  async consume(name: string, concurrency: number, handler: (delivery: Delivery) => Promise<void>): Promise<Consumer> {
    const lane = this.#lane(name);
    if (lane.handler !== undefined) throw new Error(`${name} already has a consumer.`);
    // Handlers run in the consumer's context, never inside the request that added the delivery.
    lane.handler = AsyncResource.bind(async (delivery: Delivery) => handler(delivery));
    lane.concurrency = concurrency;
    lane.pump();
    return {
      close: async () => {
        lane.handler = undefined;
        await Promise.all(lane.running);
      },
    };
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    const lanes = [...this.#lanes.values()];
    this.#lanes.clear();
    for (const lane of lanes) lane.handler = undefined;
    await Promise.all(lanes.flatMap(({ running }) => [...running]));
  }

  #lane(name: string): Lane {
    const lane = this.#lanes.get(name) ?? new Lane();
    this.#lanes.set(name, lane);
    return lane;
  }
}
