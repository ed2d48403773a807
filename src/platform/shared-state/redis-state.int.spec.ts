import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemIds } from '../../kernel/ids.js';
import { silentLog } from '../../kernel/log.js';
import { SystemClock } from '../../kernel/time.js';
import { until } from '../../../test/harness/until.js';
import { Hop } from '../../../test/harness/hop.js';
import { testRedisUrl } from '../../../test/harness/services.js';
import { RedisState } from './redis-state.js';
import { describeSharedState } from './shared-state.contract.js';

const unavailable = { code: 'SHARED_STATE_UNAVAILABLE', status: 503 };
const ids = new SystemIds();
const clock = new SystemClock();

describe('RedisState without Redis', () => {
  // A silent Redis (a dropped route, a frozen host) must not hold requests until the client gives up.
  it('fails within seconds when nothing answers', async () => {
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const state = new RedisState(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`, clock, silentLog);
    await expect(state.get('key')).rejects.toMatchObject(unavailable);
    await state.close();
    server.close();
  });

  it('fails at once when the connection is refused', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const state = new RedisState(`redis://127.0.0.1:${port}`, clock, silentLog);
    await expect(state.publish('channel', 'x')).rejects.toMatchObject(unavailable);
    await expect(state.set('key', 'x', 1)).rejects.toMatchObject(unavailable);
    await expect(state.list('')).rejects.toMatchObject(unavailable);
    await expect(state.ping()).rejects.toMatchObject(unavailable);
    const stop = await state.subscribe('channel', () => undefined);
    await stop();
    await state.close();
  });
});

if (testRedisUrl === undefined) {
  describe('Redis as shared state', () => {
    it.todo('is tested when TEST_REDIS_URL names a Redis');
  });
} else {
  const url = testRedisUrl;

  describeSharedState(
    'Redis',
    () => {
      const state = new RedisState(url, clock, silentLog);
      // Redis has no clock that a test could move: wait until a value with that time to live is gone.
      const pass = async (seconds: number): Promise<void> => {
        const marker = `marker:${ids.uuid()}`;
        await state.set(marker, 'x', seconds);
        while ((await state.get(marker)) !== undefined) await clock.sleep(5);
      };
      return { state, peer: new RedisState(url, clock, silentLog), pass };
    },
    () => `test:${ids.uuid()}`,
  );

  describe('RedisState when Redis goes away', () => {
    const hop = new Hop(new URL(url));
    let state: RedisState;
    beforeEach(async () => {
      state = new RedisState(`redis://127.0.0.1:${await hop.open()}`, clock, silentLog);
    });
    afterEach(async () => {
      await state.close();
      await hop.cut();
    });

    // After a Redis restart every process would otherwise keep accepting revoked keys until it is restarted too.
    it('fails at once, then recovers and receives messages again', async () => {
      const channel = `test:${ids.uuid()}`;
      const received = new Set<string>();
      await state.subscribe(channel, (message) => received.add(message));
      await state.publish(channel, 'before');
      await until(() => received.has('before'));

      await hop.cut();
      await until(() =>
        state.ping().then(
          () => false,
          () => true,
        ),
      );
      await expect(state.get('key')).rejects.toMatchObject(unavailable);
      await state.subscribe(`${channel}-new`, (message) => received.add(message));

      await hop.open();
      await until(async () => {
        await state.publish(channel, 'after').catch(() => undefined);
        await state.publish(`${channel}-new`, 'new').catch(() => undefined);
        return received.has('after') && received.has('new');
      });
    });
  });
}
