import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { InProcessQueue } from './in-process-queue.js';
import { describeDeliveryQueue } from './queue.contract.js';
import type { Delivery } from './queue.js';

describeDeliveryQueue(
  'The process',
  () => new InProcessQueue(),
  () => 'job',
);

function delivery(id: string): Delivery {
  return { tenantId: 'tenant', id, name: 'job', round: '0.1' };
}

describe('InProcessQueue', () => {
  // A job that ran in the context of a request would act for that request's tenant.
  it('runs handlers outside the context of whoever adds', async () => {
    const queue = new InProcessQueue();
    const request = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const consumer = await queue.consume('job', 1, async () => void seen.push(request.getStore()));
    await request.run('request', () => queue.add(delivery('a')));
    await consumer.close();
    expect(seen).toEqual([undefined]);
  });
});
