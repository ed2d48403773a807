import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../test/harness/until.js';
import { Hop } from '../../../test/harness/hop.js';
import { testRedisUrl } from '../../../test/harness/services.js';
import { SystemIds } from '../../kernel/ids.js';
import { silentLog } from '../../kernel/log.js';
import { SystemClock } from '../../kernel/time.js';
import { BullQueue } from './bull-queue.js';
import { describeDeliveryQueue } from './queue.contract.js';
import type { Delivery } from './queue.js';

const clock = new SystemClock();
const ids = new SystemIds();
const unavailable = { code: 'QUEUE_UNAVAILABLE', status: 503 };

function jobName(): string {
  return `test-${ids.uuid()}`;
}

function delivery(name: string, id: string): Delivery {
  return { tenantId: 'tenant', id, name, round: '0.1' };
}

describe('BullQueue without Redis', () => {
  // A request that enqueues waits for the wake-up of the relay at most; a worker must still be able to stop.
  it('refuses deliveries at once, and opens and closes consumers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const queue = new BullQueue({ url: `redis://127.0.0.1:${port}` }, clock, silentLog);
    const consumer = await queue.consume('job', 1, async () => undefined);
    await expect(queue.add(delivery('job', 'a'))).rejects.toMatchObject(unavailable);
    await expect(queue.depth('job')).rejects.toMatchObject(unavailable);
    await expect(queue.ping()).rejects.toMatchObject(unavailable);
    await consumer.close();
    await queue.close();
  });
});

if (testRedisUrl === undefined) {
  describe('Redis as a delivery queue', () => {
    it.todo('is tested when TEST_REDIS_URL names a Redis');
  });
} else {
  const url = testRedisUrl;

  describeDeliveryQueue('Redis', () => new BullQueue({ url }, clock, silentLog), jobName);

  describe('BullQueue', () => {
    const hop = new Hop(new URL(url));
    let queue: BullQueue;
    beforeEach(async () => {
      queue = new BullQueue({ url: `redis://127.0.0.1:${await hop.open()}` }, clock, silentLog);
    });
    afterEach(async () => {
      await queue.close();
      await hop.cut();
    });

    it('shares deliveries between processes, each handled once', async () => {
      const job = jobName();
      const other = new BullQueue({ url }, clock, silentLog);
      const taken: string[] = [];
      const handler = async ({ id }: Delivery): Promise<void> => void taken.push(id);
      await queue.consume(job, 2, handler);
      await other.consume(job, 2, handler);
      const names = Array.from({ length: 30 }, (_, index) => `job-${index}`);
      await Promise.all(names.map((id) => queue.add(delivery(job, id))));
      await until(async () => (await queue.depth(job)) === 0);
      expect([...taken].sort()).toEqual([...names].sort());
      await other.close();
    });

    it('uses the queue that a job name is mapped to', async () => {
      const [job, queueName] = [jobName(), jobName()];
      const mapped = new BullQueue({ url, queueNames: { [job]: queueName } }, clock, silentLog);
      await mapped.add(delivery(job, 'a'));
      expect(await mapped.depth(job)).toBe(1);
      expect(await queue.depth(queueName)).toBe(1);
      expect(await queue.depth(job)).toBe(0);
      await mapped.close();
    });

    // Workers that stay deaf after a Redis restart stop all ingestion until someone notices.
    it('fails at once while Redis is away, and consumes again when it is back', async () => {
      const job = jobName();
      const taken: string[] = [];
      await queue.consume(job, 1, async ({ id }) => void taken.push(id));
      await queue.add(delivery(job, 'before'));
      await until(() => taken.includes('before'));

      await hop.cut();
      await until(() =>
        queue.ping().then(
          () => false,
          () => true,
        ),
      );
      await expect(queue.add(delivery(job, 'lost'))).rejects.toMatchObject(unavailable);

      await hop.open();
      await until(async () => {
        await queue.add(delivery(job, 'after')).catch(() => undefined);
        return taken.includes('after');
      });
    });
  });
}
