import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../kernel/time.js';
import type { AppendLogs } from '../../../platform/shared-state/index.js';
import { FrameRecorder, MOST_KEPT_BYTES } from './frame-recorder.js';

type Append = AppendLogs['append'];

/** Takes what it is given, one batch after the other, unless it is away; says what that was. */
class Store {
  readonly batches: { first: number; entries: readonly string[]; last: boolean; keepMs: number }[] = [];
  readonly deleted: string[] = [];
  away = false;
  refuses = false;
  attempts = 0;

  readonly append: Append = async (_id, _label, batch, { keepMs }) => {
    this.attempts += 1;
    if (this.away) throw new Error('away');
    if (!this.refuses) this.batches.push({ ...batch, keepMs });
    return !this.refuses;
  };

  readonly delete = async (id: string): Promise<void> => {
    this.deleted.push(id);
  };

  get frames(): readonly string[] {
    return this.batches.flatMap(({ entries }) => entries);
  }
}

let clock: ManualClock;
let store: Store;
let recorder: FrameRecorder;
let over: number;

beforeEach(() => {
  clock = new ManualClock();
  store = new Store();
  over = 0;
  recorder = new FrameRecorder(store as unknown as AppendLogs, clock, 'run', 'label', 300_000, () => (over += 1));
});

/** Lets time pass in small steps, so that what one timer leads to can set the next. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    await nextTurn();
    clock.advance(50);
    await nextTurn();
  }
}

describe('a recorder', () => {
  it('writes the first frame at once, what follows in batches, and the end without delay', async () => {
    recorder.add('1');
    expect(store.frames).toEqual(['1']);
    for (const frame of ['2', '3', '4']) recorder.add(frame);
    await nextTurn();
    expect(store.frames).toEqual(['1']);
    await pass(50);
    expect(store.batches.map(({ entries }) => entries)).toEqual([['1'], ['2', '3', '4']]);
    recorder.add('5');
    recorder.end();
    await recorder.settled;
    expect(store.batches.at(-1)).toMatchObject({ first: 5, entries: ['5'], last: true });
    expect(over).toBe(1);
  });

  // A run that thinks for a minute before its first word would otherwise be declared dead by whoever follows it.
  it('gives a sign of life while there is nothing to write', async () => {
    recorder.add('1');
    await pass(10_000);
    expect(store.batches.length).toBeGreaterThanOrEqual(3);
    expect(store.frames).toEqual(['1']);
    recorder.end();
    await recorder.settled;
    const attempts = store.attempts;
    await pass(10_000);
    expect(store.attempts).toBe(attempts);
  });

  it('keeps frames while the store is away, and writes each once when it is back', async () => {
    recorder.add('1');
    await pass(50);
    store.away = true;
    recorder.add('2');
    await pass(5000);
    recorder.add('3');
    store.away = false;
    await pass(1000);
    recorder.end();
    await recorder.settled;
    expect(store.frames).toEqual(['1', '2', '3']);
    expect(store.batches.at(-1)?.last).toBe(true);
  });

  it('gives up, some time after the end, when the store stays away', async () => {
    store.away = true;
    recorder.add('1');
    recorder.end();
    await pass(9000);
    expect(over).toBe(0);
    await pass(2000);
    expect(over).toBe(1);
    const attempts = store.attempts;
    await pass(5000);
    expect(store.attempts).toBe(attempts);
  });

  it('gives up at once, when told to hurry, on a store that is away', async () => {
    store.away = true;
    recorder.add('1');
    recorder.end();
    recorder.hurry();
    await recorder.settled;
    expect(over).toBe(1);
  });

  it('stops when the log was ended or lost by others', async () => {
    recorder.add('1');
    await pass(50);
    store.refuses = true;
    recorder.add('2');
    await pass(50);
    await recorder.settled;
    recorder.add('3');
    recorder.end();
    expect(store.frames).toEqual(['1']);
    expect(over).toBe(1);
  });

  // Half of the frames would be taken for all of them.
  it('deletes the log of a run that becomes too large', async () => {
    recorder.add('1');
    await pass(50);
    recorder.add('x'.repeat(MOST_KEPT_BYTES));
    await recorder.settled;
    expect(store.deleted).toEqual(['run']);
    recorder.add('2');
    recorder.end();
    await pass(1000);
    expect(store.frames).toEqual(['1']);
  });

  it('is over without a write when there never was a frame', () => {
    recorder.end();
    expect([over, store.attempts]).toEqual([1, 0]);
  });

  it('keeps the log of an open run at least as long as its writer counts as alive', async () => {
    recorder = new FrameRecorder(store as unknown as AppendLogs, clock, 'run', 'label', 1000, () => undefined);
    recorder.add('1');
    await pass(50);
    recorder.end();
    await recorder.settled;
    expect(store.batches.map(({ keepMs }) => keepMs)).toEqual([10_000, 1000]);
  });
});
