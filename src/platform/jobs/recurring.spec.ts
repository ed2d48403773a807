import { describe, expect, it } from '@jest/globals';
import { Log, silentLog } from '../../kernel/log.js';
import { ManualClock } from '../../kernel/time.js';
import { Recurring } from './recurring.js';

class RecordingLog extends Log {
  readonly errors: object[] = [];
  override debug(): void {}
  override info(): void {}
  override warn(): void {}
  override error(fields: object): void {
    this.errors.push(fields);
  }
}

async function advance(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('Recurring', () => {
  it('repeats after each interval, also when a call fails', async () => {
    const clock = new ManualClock();
    const log = new RecordingLog();
    const recurring = new Recurring(clock, log);
    let calls = 0;
    recurring.every('task', 1_000, async () => {
      calls += 1;
      if (calls === 2) throw new Error('broken');
    });
    expect(calls).toBe(0);
    for (let second = 0; second < 3; second += 1) await advance(clock, 1_000);
    expect(calls).toBe(3);
    expect(log.errors).toEqual([{ err: expect.any(Error), task: 'task' }]);
  });

  it('never overlaps with itself, and stop waits for what runs', async () => {
    const clock = new ManualClock();
    const recurring = new Recurring(clock, silentLog);
    let calls = 0;
    let finish = (): void => undefined;
    recurring.every('task', 1_000, () => {
      calls += 1;
      return new Promise<void>((resolve) => (finish = resolve));
    });
    await advance(clock, 1_000);
    await advance(clock, 10_000);
    expect(calls).toBe(1);

    let stopped = false;
    const stopping = recurring.stop().then(() => (stopped = true));
    await advance(clock, 0);
    expect(stopped).toBe(false);
    finish();
    await stopping;
    await advance(clock, 10_000);
    expect(calls).toBe(1);
  });

  it('refuses a name twice', () => {
    const recurring = new Recurring(new ManualClock(), silentLog);
    recurring.every('task', 1_000, async () => undefined);
    expect(() => recurring.every('task', 1_000, async () => undefined)).toThrow(/already/);
  });
});
