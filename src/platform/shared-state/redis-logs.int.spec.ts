import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Hop } from '../../../test/harness/hop.js';
import { testRedisUrl } from '../../../test/harness/services.js';
import { until } from '../../../test/harness/until.js';
import { SystemIds } from '../../kernel/ids.js';
import { silentLog } from '../../kernel/log.js';
import { SystemClock } from '../../kernel/time.js';
import { describeAppendLogs } from './append-logs.contract.js';
import { RedisLogs } from './redis-logs.js';
import { RedisState } from './redis-state.js';

const ids = new SystemIds();
const clock = new SystemClock();
const unavailable = { code: 'SHARED_STATE_UNAVAILABLE', status: 503 };
const TIMES = { keepMs: 60_000, aliveMs: 60_000 };

if (testRedisUrl === undefined) {
  describe('Redis as append-only logs', () => {
    it.todo('is tested when TEST_REDIS_URL names a Redis');
  });
} else {
  const url = testRedisUrl;

  describeAppendLogs(
    'Redis',
    () => {
      const states = [new RedisState(url, clock, silentLog), new RedisState(url, clock, silentLog)] as const;
      const logs = new RedisLogs(url, clock, silentLog, states[0]);
      const peer = new RedisLogs(url, clock, silentLog, states[1]);
      // Redis has no clock that a test could move: wait until a value with that time to live is gone.
      const pass = async (seconds: number): Promise<void> => {
        const marker = `marker:${ids.uuid()}`;
        await states[0].set(marker, 'x', seconds);
        while ((await states[0].get(marker)) !== undefined) await clock.sleep(5);
      };
      const close = async (): Promise<void> => {
        await Promise.all([logs, peer, ...states].map((store) => store.close()));
      };
      return { logs, peer, pass, close };
    },
    () => ids.uuid(),
  );

  describe('RedisLogs when Redis goes away', () => {
    const hop = new Hop(new URL(url));
    let state: RedisState;
    let logs: RedisLogs;
    beforeEach(async () => {
      const throughHop = `redis://127.0.0.1:${await hop.open()}`;
      state = new RedisState(throughHop, clock, silentLog);
      logs = new RedisLogs(throughHop, clock, silentLog, state);
    });
    afterEach(async () => {
      await logs.close();
      await state.close();
      await hop.cut();
    });

    it('fails at once, and goes on with the same log afterwards', async () => {
      const id = ids.uuid();
      await logs.append(id, 'label', { first: 1, entries: ['1'], last: false }, TIMES);
      await hop.cut();
      const second = { first: 2, entries: ['2'], last: true };
      await until(() =>
        logs.read(id, 0, 9).then(
          () => false,
          () => true,
        ),
      );
      await expect(logs.append(id, 'label', second, TIMES)).rejects.toMatchObject(unavailable);
      await expect(logs.finish(id, 1, ['end'], 1000)).rejects.toMatchObject(unavailable);
      await expect(logs.delete(id)).rejects.toMatchObject(unavailable);
      await hop.open();
      await until(() => logs.append(id, 'label', second, TIMES).catch(() => false));
      expect(await logs.read(id, 0, 9)).toMatchObject({ entries: ['1', '2'], ended: true });
    });
  });
}
