import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { until } from '../../../test/harness/until.js';
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
  // The server would answer nobody while jobs of the embedded database follow each other.
  it('lets timers and sockets have their turn between deliveries that wait for neither', async () => {
    const queue = new InProcessQueue();
    const most = 10_000;
    let handled = 0;
    let handledAtTurn = most;
    const consumer = await queue.consume('job', 2, async () => {
      await Promise.resolve();
      handled += 1;
      if (handledAtTurn === most && handled < most) await queue.add(delivery(`next-${handled}`));
    });
    setImmediate(() => (handledAtTurn = handled));
    await queue.add(delivery('first'));
    await until(() => handledAtTurn < most || handled === most);
    await consumer.close();
    expect(handledAtTurn).toBeLessThan(most);
  });

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
