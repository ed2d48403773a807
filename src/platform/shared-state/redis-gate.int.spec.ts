import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Hop } from '../../../test/harness/hop.js';
import { testRedisUrl } from '../../../test/harness/services.js';
import { until } from '../../../test/harness/until.js';
import { SystemIds } from '../../kernel/ids.js';
import { silentLog } from '../../kernel/log.js';
import { SystemClock } from '../../kernel/time.js';
import { RedisGate } from './redis-gate.js';
import { describeTrafficGate } from './traffic-gate.contract.js';
import type { TrafficGate } from './traffic-gate.js';

const ids = new SystemIds();
const clock = new SystemClock();
const unavailable = { code: 'SHARED_STATE_UNAVAILABLE', status: 503 };
const bucket = { id: 'key:k:read', rate: 0, burst: 3 };
const counter = {
  id: 'day:1',
  units: 1,
  limit: null,
  atLeast: 0,
  expiresAt: new Date(clock.now().getTime() + 600_000),
};

if (testRedisUrl === undefined) {
  describe('Redis as traffic gate', () => {
    it.todo('is tested when TEST_REDIS_URL names a Redis');
  });
} else {
  const url = testRedisUrl;

  describeTrafficGate(
    'Redis',
    () => {
      const gate = new RedisGate(url, clock, silentLog);
      const peer = new RedisGate(url, clock, silentLog);
      return {
        gate,
        peer,
        now: () => clock.now(),
        // Redis counts whole milliseconds of a clock of its own.
        pass: (seconds) => clock.sleep(seconds * 1000 + 2),
        close: async () => {
          await gate.close();
          await peer.close();
        },
      };
    },
    () => ids.uuid(),
  );

  describe('RedisGate', () => {
    const hop = new Hop(new URL(url));
    const admin = new Redis(url);
    let gate: TrafficGate;
    let tenant: string;
    beforeEach(async () => {
      gate = new RedisGate(`redis://127.0.0.1:${await hop.open()}`, clock, silentLog);
      tenant = ids.uuid();
    });
    afterEach(async () => {
      await gate.close();
      await hop.cut();
    });
    afterAll(() => admin.disconnect());

    const take = (): Promise<string> => gate.pass(tenant, 1, [bucket], [counter]).then(({ outcome }) => outcome);
    const key = (id: string): string => `nexusrag:rl:{${tenant}}:${id}`;

    it('keeps all of a tenant in one slot, each part with an end', async () => {
      await take();
      const keys = [key(bucket.id), key(counter.id)];
      expect(await admin.exists(...keys)).toBe(2);
      const slots = await Promise.all(keys.map((name) => admin.call('CLUSTER', 'KEYSLOT', name).catch(() => 0)));
      expect(new Set(slots).size).toBe(1);
      expect(await admin.ttl(key(bucket.id))).toBeLessThanOrEqual(3);
      expect(await admin.pttl(key(counter.id))).toBeGreaterThan(3000);
    });

    // Case 10 of 01 §10: the moment is the store's. A bucket dated by a process whose clock is ahead must not wait for it.
    it('takes no time from a bucket that is dated in the future, and goes on from now', async () => {
      const refilling = { ...bucket, rate: 1000, burst: 50 };
      await admin.hset(key(bucket.id), { tokens: '0.5', ts: String(clock.now().getTime() + 3_600_000) });
      expect(await gate.pass(tenant, 1, [refilling], [])).toMatchObject({
        outcome: 'throttled',
        buckets: [{ tokens: 0.5, retryAfterMs: 1 }],
      });
      await until(async () => (await gate.pass(tenant, 1, [refilling], [])).outcome === 'passed');
    });

    it('survives that Redis forgets its scripts and everything else', async () => {
      await take();
      await admin.script('FLUSH');
      await admin.del(key(bucket.id), key(counter.id));
      expect(await gate.pass(tenant, 1, [bucket], [{ ...counter, atLeast: 7 }])).toEqual({
        outcome: 'passed',
        buckets: [{ tokens: 2, retryAfterMs: 0 }],
        used: [8],
      });
    });

    it('fails at once while Redis is away, and goes on where it was when it is back', async () => {
      expect(await take()).toBe('passed');
      await hop.cut();
      await expect(take()).rejects.toMatchObject(unavailable);
      await expect(gate.giveBack(tenant, [counter])).rejects.toMatchObject(unavailable);
      await expect(gate.raise(tenant, [{ ...counter, atLeast: 1 }])).rejects.toMatchObject(unavailable);
      await hop.open();
      const outcome = await untilAnswered();
      expect(['passed', 'throttled']).toContain(outcome);
      expect(Number(await admin.get(key(counter.id)))).toBeGreaterThanOrEqual(2);
    });

    // A Redis that accepts connections and says nothing would otherwise cost every request a second.
    it('waits once for a Redis that hangs, and not again until it answers', async () => {
      await take();
      hop.hang();
      await expect(take()).rejects.toMatchObject(unavailable);
      const began = clock.monotonic();
      for (let call = 0; call < 50; call += 1) await expect(take()).rejects.toMatchObject(unavailable);
      expect(clock.monotonic() - began).toBeLessThan(500);
      hop.resume();
      expect(['passed', 'throttled']).toContain(await untilAnswered());
    });

    async function untilAnswered(): Promise<string> {
      let outcome: string | undefined;
      await until(async () => {
        outcome = await take().catch(() => undefined);
        return outcome !== undefined;
      });
      return outcome ?? '';
    }
  });
}
