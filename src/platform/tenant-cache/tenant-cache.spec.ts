import { beforeEach, describe, expect, it } from '@jest/globals';
import { runInContext, systemContext } from '../../kernel/context.js';
import { silentLog } from '../../kernel/log.js';
import { ManualClock } from '../../kernel/time.js';
import { UnitOfWork } from '../db/index.js';
import { createSharedState, type SharedState, type SharedStateSettings } from '../shared-state/index.js';
import { TenantCache, type TenantCacheParts } from './tenant-cache.js';

/** Lookups, single eviction and lifetimes are tested where plans are remembered. */
let clock: ManualClock;
let state: SharedState;
let loads: number;

beforeEach(() => {
  clock = new ManualClock();
  state = createSharedState({} as SharedStateSettings, clock, silentLog);
  loads = 0;
});

const parts = (): TenantCacheParts => ({ uow: new UnitOfWork({} as never), state, clock, log: silentLog });

async function processWith(capacity: number, load = async () => String((loads += 1))): Promise<TenantCache<string>> {
  const options = {
    channel: 'test.changed',
    ttlSeconds: 30,
    capacity,
    weightOf: (value: string) => value.length,
    load,
  };
  const cache = new TenantCache<string>(options, parts());
  await cache.listen();
  return cache;
}

const get = (cache: TenantCache<string>, tenantId: string): Promise<string> =>
  runInContext(systemContext('r', tenantId), async () => cache.current());

/** Its wall clock can be set back, as by a correction of the time. */
class SetBackClock extends ManualClock {
  setBackMs = 0;
  override now(): Date {
    return new Date(super.now().getTime() - this.setBackMs);
  }
}

describe('a cache of tenants', () => {
  it('keeps nothing longer because the wall clock was set back', async () => {
    const back = new SetBackClock();
    clock = back;
    const cache = await processWith(100);
    expect(await get(cache, 'a')).toBe('1');
    back.setBackMs = 3_600_000;
    back.advance(29_000);
    expect(await get(cache, 'a')).toBe('1');
    back.advance(1_000);
    expect(await get(cache, 'a')).toBe('2');
  });

  it('forgets all of them, in every process', async () => {
    const [one, other] = [await processWith(100), await processWith(100)];
    const ask = async () => [await get(one, 'a'), await get(one, 'b'), await get(other, 'a')];
    expect([await ask(), await ask()]).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ]);
    await one.forgetAll();
    expect(await ask()).toEqual(['4', '5', '6']);
  });

  it('does not remember what it was looking up when all were forgotten', async () => {
    const answers: ((value: string) => void)[] = [];
    const cache = await processWith(100, () => new Promise<string>((resolve) => answers.push(resolve)));
    const before = get(cache, 'a');
    await cache.forgetAll();
    const after = get(cache, 'a');
    answers[1]?.('new');
    answers[0]?.('old');
    expect([await before, await after, await get(cache, 'a')]).toEqual(['old', 'new', 'new']);
  });

  // The memory of the process must not depend on how much its tenants have stored.
  it('keeps the values asked for last that together are light enough, and none that is too heavy', async () => {
    const values = ['aaaa', 'bbbb', 'cccc', 'x'.repeat(11)];
    const cache = await processWith(10, async () => values[(loads += 1) - 1] ?? `again ${loads}`);
    for (const tenant of ['a', 'b', 'c', 'x']) await get(cache, tenant);
    expect([await get(cache, 'c'), await get(cache, 'b')]).toEqual(['cccc', 'bbbb']);
    expect([await get(cache, 'a'), await get(cache, 'x')]).toEqual(['again 5', 'again 6']);
  });
});
