import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../kernel/time.js';
import { describeAppendLogs } from './append-logs.contract.js';
import { InProcessLogs } from './in-process-logs.js';

const TIMES = { keepMs: 60_000, aliveMs: 10_000 };
const KILOBYTE = 'x'.repeat(1024);

let ids = 0;

describeAppendLogs(
  'The process',
  () => {
    const clock = new ManualClock();
    const logs = new InProcessLogs(clock, 1024 * 1024);
    const pass = async (seconds: number): Promise<void> => clock.advance(seconds * 1000);
    return { logs, peer: logs, pass, close: () => logs.close() };
  },
  () => `log-${(ids += 1)}`,
);

describe('InProcessLogs', () => {
  const add = (logs: InProcessLogs, id: string, first: number, entries: string[]): Promise<boolean> =>
    logs.append(id, 'label', { first, entries, last: false }, TIMES);

  // Without the bound every answer of the last five minutes would stay in the memory of the only process there is.
  it('makes room by losing the log that was written to longest ago, as a whole', async () => {
    const logs = new InProcessLogs(new ManualClock(), 8 * 1024);
    await add(logs, 'a', 1, [KILOBYTE]);
    await add(logs, 'b', 1, [KILOBYTE]);
    await add(logs, 'a', 2, [KILOBYTE]);
    await add(logs, 'c', 1, [KILOBYTE]);
    expect(await logs.read('b', 0, 9)).toBeUndefined();
    expect((await logs.read('a', 0, 9))?.entries).toHaveLength(2);
    expect(await add(logs, 'b', 2, ['more'])).toBe(false);
  });

  it('refuses a log that is larger than all there may be, and holds nothing of it', async () => {
    const logs = new InProcessLogs(new ManualClock(), 4 * 1024);
    expect(await add(logs, 'a', 1, [KILOBYTE])).toBe(true);
    expect(await add(logs, 'a', 2, [KILOBYTE, KILOBYTE])).toBe(false);
    expect(logs.size).toBe(0);
    expect(await add(logs, 'b', 1, [KILOBYTE])).toBe(true);
  });

  it('lets go of expired logs that nobody asks for', async () => {
    const clock = new ManualClock();
    const logs = new InProcessLogs(clock, 1024 * 1024);
    await add(logs, 'a', 1, ['1']);
    clock.advance(30_000);
    await add(logs, 'b', 1, ['1']);
    clock.advance(30_000);
    expect(logs.size).toBe(1);
    clock.advance(30_000);
    expect(logs.size).toBe(0);
  });
});
