import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLog } from '../../../kernel/log.js';
import { ManualClock } from '../../../kernel/time.js';
import { loadSettings } from '../../../kernel/settings.js';
import {
  createSharedState,
  sharedStateErrors,
  type SharedState,
  type SharedStateSettings,
} from '../../../platform/shared-state/index.js';
import { residencySettings } from '../residency.settings.js';
import { LastKnownPins } from './last-known-pins.js';

let state: SharedState;
let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
  state = createSharedState({} as SharedStateSettings, clock, silentLog);
});

function process(region = 'eu', shared = state): LastKnownPins {
  const settings = loadSettings({ STATEWAVE_REGION: region }, [residencySettings]).get(residencySettings);
  return new LastKnownPins(shared, clock, silentLog, settings);
}

describe('the last pins that were read', () => {
  it('are known here, and to processes that start meanwhile where they refuse', async () => {
    const first = process();
    expect([first.learn('a', 'us'), first.learn('b', 'eu'), first.learn('c', 42)]).toEqual(['us', null, '42']);
    expect([await first.find('a'), await first.find('b')]).toMatchObject([{ refusing: 'us' }, { refusing: null }]);
    const second = process();
    expect(await second.find('a')).toEqual({ refusing: 'us' });
    expect(await second.find('c')).toEqual({ refusing: '42' });
    expect([await second.find('b'), await second.find('d')]).toEqual([undefined, undefined]);
  });

  it('refuse also where another one was seen before', async () => {
    const [first, second] = [process(), process()];
    second.learn('a', 'eu');
    first.learn('a', 'us');
    expect(await second.find('a')).toEqual({ refusing: 'us' });
    first.learn('a', 'eu');
    expect(await second.find('a')).toMatchObject({ refusing: null });
  });

  it('are what they were before a change no longer', async () => {
    const [first, second] = [process(), process()];
    await first.onModuleInit();
    first.learn('a', 'us');
    second.learn('a', 'eu', true);
    await state.publish('tenant.config.changed', 'a');
    expect(await first.find('a')).toBeUndefined();
  });

  it('are known to others for as long as they are seen', async () => {
    const first = process();
    for (let hours = 0; hours < 30; hours += 1) {
      first.learn('a', 'us');
      clock.advance(3_600_000);
    }
    expect(await process().find('a')).toEqual({ refusing: 'us' });
  });

  it('mean something in one region only', async () => {
    process('eu').learn('a', 'us');
    expect(await process('us').find('a')).toBeUndefined();
  });

  it('are forgotten everywhere once they are mended, also by a process that had never seen them', async () => {
    const first = process();
    first.learn('a', 'us');
    first.learn('a', 'eu');
    expect(await process().find('a')).toBeUndefined();
    first.learn('a', 'us');
    process().learn('a', undefined, true);
    expect(await process().find('a')).toBeUndefined();
  });

  it('do without the others while the shared state is away', async () => {
    const fails = async (): Promise<never> => {
      throw sharedStateErrors.SHARED_STATE_UNAVAILABLE();
    };
    const away = { get: fails, set: fails, delete: fails } as unknown as SharedState;
    const alone = process('eu', away);
    expect(alone.learn('a', 'us')).toBe('us');
    expect([await alone.find('a'), await alone.find('b')]).toMatchObject([{ refusing: 'us' }, undefined]);
  });

  it('are nothing in single-region mode', () => {
    const settings = loadSettings({}, [residencySettings]).get(residencySettings);
    expect(new LastKnownPins(state, clock, silentLog, settings).learn('a', 'us')).toBeNull();
  });
});
