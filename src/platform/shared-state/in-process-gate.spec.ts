import { describe, expect, it } from '@jest/globals';
import { silentLog } from '../../kernel/log.js';
import { loadSettings } from '../../kernel/settings.js';
import { ManualClock } from '../../kernel/time.js';
import { createTrafficGate } from './create-shared-state.js';
import { InProcessGate } from './in-process-gate.js';
import { RedisGate } from './redis-gate.js';
import { sharedStateSettings } from './shared-state.settings.js';
import { describeTrafficGate } from './traffic-gate.contract.js';

let tenants = 0;

describeTrafficGate(
  'The process',
  () => {
    const clock = new ManualClock();
    const gate = new InProcessGate(clock);
    return {
      gate,
      peer: gate,
      now: () => clock.now(),
      pass: async (seconds) => clock.advance(seconds * 1000),
      close: () => gate.close(),
    };
  },
  () => `tenant-${(tenants += 1)}`,
);

describe('InProcessGate', () => {
  it('holds a bounded number of buckets and loses the one that was used longest ago', async () => {
    const gate = new InProcessGate(new ManualClock(), 2);
    const take = async (tenant: string): Promise<string> =>
      (await gate.pass(tenant, 1, [{ id: 'b', rate: 0, burst: 1 }], [])).outcome;
    expect([await take('a'), await take('b'), await take('a'), await take('c')]).toEqual([
      'passed',
      'passed',
      'throttled',
      'passed',
    ]);
    expect(await take('a')).toBe('throttled');
    expect(await take('b')).toBe('passed');
  });
});

describe('createTrafficGate', () => {
  it('stays in the process unless there is a Redis', async () => {
    const gate = (env: Record<string, string>) =>
      createTrafficGate(
        loadSettings(env, [sharedStateSettings]).get(sharedStateSettings),
        new ManualClock(),
        silentLog,
      );
    expect(gate({})).toBeInstanceOf(InProcessGate);
    const redis = gate({ REDIS_URL: 'redis://127.0.0.1:1' });
    expect(redis).toBeInstanceOf(RedisGate);
    await redis.close();
  });
});
