import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../test/harness/until.js';
import type { Delivery, DeliveryQueue } from './queue.js';

/** What every delivery queue guarantees. `name` returns a job name that no other test uses. */
export function describeDeliveryQueue(title: string, open: () => DeliveryQueue, name: () => string): void {
  describe(`${title} as a delivery queue`, () => {
    let queue: DeliveryQueue;
    let job: string;
    beforeEach(() => {
      queue = open();
      job = name();
    });
    afterEach(() => queue.close());

    function delivery(id: string, round = '0.1'): Delivery {
      return { tenantId: 'tenant', id, name: job, round };
    }

    /** A handler that holds every delivery until it is released. */
    function gate(): { handler: (taken: Delivery) => Promise<void>; taken: string[]; release: () => void } {
      const taken: string[] = [];
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => (open = resolve));
      const handler = async ({ id }: Delivery): Promise<void> => {
        taken.push(id);
        await opened;
      };
      return { handler, taken, release: () => open() };
    }

    /** A handler that lets everything through. */
    function collect(): { handler: (taken: Delivery) => Promise<void>; taken: Delivery[] } {
      const taken: Delivery[] = [];
      return { taken, handler: async (delivered) => void taken.push(delivered) };
    }

    it('hands what was added, before or after, to the consumer of the name', async () => {
      const [mine, other] = [collect(), collect()];
      const early = { ...delivery('7'), tenantId: 'a:b/ü~%' };
      await queue.add(early);
      await queue.consume(job, 1, mine.handler);
      await queue.consume(`${job}-other`, 1, other.handler);
      await queue.add(delivery('a:b:c:d'));
      await until(() => mine.taken.length === 2);
      expect(mine.taken).toEqual([early, delivery('a:b:c:d')]);
      expect(other.taken).toEqual([]);
    });

    it('runs as many handlers at once as it may, and no more', async () => {
      const { handler, taken, release } = gate();
      await queue.consume(job, 2, handler);
      for (const id of ['a', 'b', 'c', 'd', 'e']) await queue.add(delivery(id));
      await until(() => taken.length === 2);
      expect(await queue.depth(job)).toBe(5);
      expect(taken).toHaveLength(2);
      release();
      await until(async () => (await queue.depth(job)) === 0);
      expect([...taken].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    });

    // Each sweep adds every waiting job again: a backlog would grow by itself until memory runs out.
    it('holds a round of a job once, and takes it again when it is gone', async () => {
      const { handler, taken, release } = gate();
      await queue.add(delivery('a'));
      await queue.add(delivery('a'));
      await queue.add(delivery('a', '1.2'));
      expect(await queue.depth(job)).toBe(2);
      await queue.consume(job, 1, handler);
      await until(() => taken.length === 1);
      await queue.add(delivery('a'));
      expect(await queue.depth(job)).toBe(2);
      release();
      await until(async () => (await queue.depth(job)) === 0);
      await queue.add(delivery('a'));
      await until(() => taken.length === 3);
    });

    // The outbox decides about retries: a queue that retried as well would multiply the attempts.
    it('drops a delivery whose handler rejects, and goes on', async () => {
      const taken: string[] = [];
      await queue.consume(job, 1, async ({ id }) => {
        taken.push(id);
        if (id === 'bad') throw new Error('broken');
      });
      await queue.add(delivery('bad'));
      await queue.add(delivery('good'));
      await until(async () => taken.includes('good') && (await queue.depth(job)) === 0);
      expect(taken).toEqual(['bad', 'good']);
    });

    // A deployment must not kill what is running, nor start what it would then kill.
    it('waits for running handlers when a consumer closes, and takes nothing more', async () => {
      const { handler, taken, release } = gate();
      const consumer = await queue.consume(job, 1, handler);
      await queue.add(delivery('a'));
      await queue.add(delivery('b'));
      await until(() => taken.length === 1);
      let closed = false;
      const closing = consumer.close().then(() => (closed = true));
      await queue.add(delivery('c'));
      expect(closed).toBe(false);
      release();
      await closing;
      expect(taken).toEqual(['a']);
      expect(await queue.depth(job)).toBe(2);
    });

    it('refuses a second consumer of a name', async () => {
      await queue.consume(job, 1, collect().handler);
      await expect(queue.consume(job, 1, collect().handler)).rejects.toThrow(/already has a consumer/);
    });

    it('answers a ping', async () => {
      await expect(queue.ping()).resolves.toBeUndefined();
    });
  });
}
