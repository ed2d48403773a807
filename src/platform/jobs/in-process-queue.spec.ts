import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../kernel/time.js';
import { InProcessQueue } from './in-process-queue.js';
import { describeDeliveryQueue } from './queue.contract.js';
import type { Delivery } from './queue.js';

describeDeliveryQueue(
  'The process',
  () => {
    const clock = new ManualClock();
    return { queue: new InProcessQueue(clock), pass: async (ms) => clock.advance(ms) };
  },
  () => 'job',
);

function delivery(id: string): Delivery {
  return { tenantId: 'tenant', id, name: 'job', round: '0.1' };
}

describe('InProcessQueue', () => {
  // Jobs live in the database; copying an unbounded backlog into memory would end the process.
  it('refuses deliveries beyond its capacity, also delayed ones, until there is room', async () => {
    const queue = new InProcessQueue(new ManualClock(), 2);
    await queue.add(delivery('a'), 1_000);
    await queue.add({ ...delivery('b'), name: 'other' }, 0);
    await expect(queue.add(delivery('c'), 0)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    await expect(queue.add(delivery('a'), 0)).resolves.toBeUndefined();
    const consumer = await queue.consume('other', 1, async () => undefined);
    await consumer.close();
    await expect(queue.add(delivery('c'), 0)).resolves.toBeUndefined();
  });

  // A job that ran in the context of a request would act for that request's tenant.
  it('runs handlers outside the context of whoever adds', async () => {
    const queue = new InProcessQueue(new ManualClock());
    const request = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const consumer = await queue.consume('job', 1, async () => void seen.push(request.getStore()));
    await request.run('request', () => queue.add(delivery('a'), 0));
    await consumer.close();
    expect(seen).toEqual([undefined]);
  });

  it('forgets delayed deliveries when it closes', async () => {
    const clock = new ManualClock();
    const queue = new InProcessQueue(clock);
    const seen: string[] = [];
    await queue.consume('job', 1, async ({ id }) => void seen.push(id));
    await queue.add(delivery('a'), 1_000);
    await queue.close();
    clock.advance(1_000);
    expect(seen).toEqual([]);
  });
});
