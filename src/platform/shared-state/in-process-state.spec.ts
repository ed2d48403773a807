import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { silentLog } from '../../kernel/log.js';
import { loadSettings } from '../../kernel/settings.js';
import { ManualClock } from '../../kernel/time.js';
import { createSharedState } from './create-shared-state.js';
import { InProcessState } from './in-process-state.js';
import { RedisState } from './redis-state.js';
import { describeSharedState } from './shared-state.contract.js';
import { sharedStateSettings, type SharedStateSettings } from './shared-state.settings.js';

describeSharedState(
  'The process',
  () => {
    const clock = new ManualClock();
    const state = new InProcessState(clock, silentLog);
    return { state, peer: state, pass: async (seconds) => clock.advance(seconds * 1000) };
  },
  () => 'test',
);

describe('InProcessState', () => {
  it('drops the value that was used longest ago when it is full', async () => {
    const state = new InProcessState(new ManualClock(), silentLog, 2);
    await state.set('a', '1', 60);
    await state.set('b', '2', 60);
    await state.get('a');
    await state.set('c', '3', 60);
    expect(await state.list('')).toEqual({ a: '1', c: '3' });
  });

  // A listener that reads the database would otherwise join the publisher's transaction and see its tenant.
  it('runs listeners in the context of their subscription', async () => {
    const state = new InProcessState(new ManualClock(), silentLog);
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    await context.run('subscriber', () => state.subscribe('channel', () => seen.push(context.getStore())));
    await context.run('publisher', () => state.publish('channel', 'x'));
    expect(seen).toEqual(['subscriber']);
  });
});

describe('shared state settings', () => {
  function load(env: Record<string, string>): SharedStateSettings {
    return loadSettings(env, [sharedStateSettings]).get(sharedStateSettings);
  }

  it('require Redis in production', () => {
    expect(() => load({ NODE_ENV: 'production' })).toThrow(/REDIS_URL is required in production/);
    expect(() => load({ REDIS_URL: 'http://redis' })).toThrow(/REDIS_URL must be a URL starting with redis/);
  });

  it('choose the implementation', () => {
    expect(createSharedState(load({}), new ManualClock(), silentLog)).toBeInstanceOf(InProcessState);
    const settings = load({ REDIS_URL: 'rediss://redis.internal:6380' });
    expect(createSharedState(settings, new ManualClock(), silentLog)).toBeInstanceOf(RedisState);
  });
});
