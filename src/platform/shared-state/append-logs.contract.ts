import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AppendLogs, Batch } from './append-logs.js';

export interface OpenAppendLogs {
  readonly logs: AppendLogs;
  /** Another handle to the same logs: another process when they are distributed, the same object otherwise. */
  readonly peer: AppendLogs;
  /** Lets this many seconds pass for the store. */
  pass(seconds: number): Promise<void>;
  close(): Promise<void>;
}

const TIMES = { keepMs: 60_000, aliveMs: 60_000 };
const SHORT_MS = 50;
const SHORT_AGO_S = 0.1;

const batch = (first: number, entries: readonly string[], last = false): Batch => ({ first, entries, last });

/** What all append-only logs guarantee. Ids are made by `newId`, so that no other test uses them. */
export function describeAppendLogs(name: string, open: () => OpenAppendLogs, newId: () => string): void {
  describe(`${name} as append-only logs`, () => {
    let logs: AppendLogs;
    let peer: AppendLogs;
    let pass: OpenAppendLogs['pass'];
    let close: OpenAppendLogs['close'];
    let id: string;
    beforeEach(() => {
      ({ logs, peer, pass, close } = open());
      id = newId();
    });
    afterEach(() => close());

    const entries = async (after = 0): Promise<readonly string[] | undefined> =>
      (await peer.read(id, after, 100))?.entries;

    it('gives back what was written, byte for byte, from any place', async () => {
      const written = ['one\n', 'zwei ✓ 🐧', ' \u0000 ', '{"a":1}'];
      expect(await logs.append(id, 'label', batch(1, written.slice(0, 1)), TIMES)).toBe(true);
      expect(await logs.append(id, 'another', batch(2, written.slice(1), true), TIMES)).toBe(true);
      for (let after = 0; after <= 5; after += 1) expect(await entries(after)).toEqual(written.slice(after));
      expect(await peer.read(id, 1, 2)).toEqual({
        label: 'label',
        entries: written.slice(1, 3),
        length: 4,
        ended: true,
        alive: false,
      });
    });

    it('knows nothing of a log that nobody began, and begins none but with its first entry', async () => {
      expect(await peer.read(id, 0, 100)).toBeUndefined();
      expect(await logs.append(id, 'label', batch(2, ['two']), TIMES)).toBe(false);
      expect(await peer.read(id, 0, 100)).toBeUndefined();
    });

    // A writer whose connection broke cannot know whether its batch arrived; a doubled frame would end the stream.
    it('takes a batch that is sent again, or overlaps, once', async () => {
      for (const sent of [batch(1, ['1', '2']), batch(1, ['1', '2']), batch(2, ['2', '3']), batch(4, ['4'])]) {
        expect(await logs.append(id, 'label', sent, TIMES)).toBe(true);
      }
      expect(await entries()).toEqual(['1', '2', '3', '4']);
    });

    it('refuses a batch after a gap, and any after the end', async () => {
      await logs.append(id, 'label', batch(1, ['1']), TIMES);
      expect(await logs.append(id, 'label', batch(3, ['3']), TIMES)).toBe(false);
      expect(await logs.append(id, 'label', batch(2, ['2'], true), TIMES)).toBe(true);
      expect(await logs.append(id, 'label', batch(3, ['3']), TIMES)).toBe(false);
      expect(await entries()).toEqual(['1', '2']);
    });

    it('forgets a log after its time, counted from the last write', async () => {
      await logs.append(id, 'label', batch(1, ['1']), { ...TIMES, keepMs: SHORT_MS });
      await logs.append(id, 'label', batch(2, []), TIMES);
      await pass(SHORT_AGO_S);
      expect(await entries()).toEqual(['1']);
      await logs.append(id, 'label', batch(2, ['2'], true), { ...TIMES, keepMs: SHORT_MS });
      await pass(SHORT_AGO_S);
      expect(await entries()).toBeUndefined();
    });

    it('forgets a log that is deleted, and takes nothing more for it', async () => {
      await logs.append(id, 'label', batch(1, ['1']), TIMES);
      await peer.delete(id);
      expect(await entries()).toBeUndefined();
      expect(await logs.append(id, 'label', batch(2, ['2']), TIMES)).toBe(false);
      await expect(peer.delete(id)).resolves.toBeUndefined();
    });

    it('tells whether the writer is alive: until its sign of life is too old, or the log ends', async () => {
      const isAlive = async (): Promise<boolean | undefined> => (await peer.read(id, 0, 1))?.alive;
      await logs.append(id, 'label', batch(1, ['1']), { ...TIMES, aliveMs: SHORT_MS });
      await logs.append(id, 'label', batch(2, []), TIMES);
      await pass(SHORT_AGO_S);
      expect(await isAlive()).toBe(true);
      await logs.append(id, 'label', batch(2, []), { ...TIMES, aliveMs: SHORT_MS });
      await pass(SHORT_AGO_S);
      expect(await isAlive()).toBe(false);
      await logs.append(id, 'label', batch(2, ['2'], true), TIMES);
      expect(await isAlive()).toBe(false);
    });

    // Two readers who each wrote an end would give a client two different streams for one run.
    it('lets exactly one of many end a log whose writer is gone', async () => {
      await logs.append(id, 'label', batch(1, ['1']), { ...TIMES, aliveMs: SHORT_MS });
      await pass(SHORT_AGO_S);
      const finders = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? logs : peer));
      await Promise.all(finders.map((finder, index) => finder.finish(id, 1, [`end ${index}`, 'done'], 60_000)));
      const part = await peer.read(id, 0, 100);
      expect(part).toMatchObject({ length: 3, ended: true });
      expect(part?.entries).toEqual(['1', expect.stringMatching(/^end \d+$/), 'done']);
      expect(await logs.append(id, 'label', batch(2, ['2']), TIMES)).toBe(false);
      expect(await entries()).toEqual(part?.entries);
    });

    it('lets nobody end a log that is alive, has grown, has ended, or is not there', async () => {
      await peer.finish(id, 0, ['end'], 60_000);
      expect(await entries()).toBeUndefined();
      await logs.append(id, 'label', batch(1, ['1', '2']), TIMES);
      await peer.finish(id, 2, ['end'], 60_000);
      await logs.append(id, 'label', batch(3, []), { ...TIMES, aliveMs: SHORT_MS });
      await pass(SHORT_AGO_S);
      await peer.finish(id, 1, ['end'], 60_000);
      expect(await peer.read(id, 0, 100)).toMatchObject({ entries: ['1', '2'], ended: false });
      await logs.append(id, 'label', batch(3, ['3'], true), TIMES);
      for (const length of [3, 4]) await peer.finish(id, length, ['end'], 60_000);
      expect(await entries()).toEqual(['1', '2', '3']);
    });

    it('calls watchers of the log when it grows and when it ends, until they leave', async () => {
      const calls: string[] = [];
      let called: () => void = () => undefined;
      const next = (): Promise<void> => new Promise((resolve) => (called = resolve));
      const watching = (who: string) => (): void => {
        calls.push(who);
        called();
      };
      const stop = await peer.watch(id, watching('first'));
      for (const entry of ['1', '2']) {
        const call = next();
        await logs.append(id, 'label', batch(Number(entry), [entry], entry === '2'), TIMES);
        await call;
      }
      expect(calls).toEqual(['first', 'first']);
      await stop();
      id = newId();
      await peer.watch(id, watching('second'));
      const call = next();
      await logs.append(id, 'label', batch(1, ['1']), TIMES);
      await call;
      expect(calls).toEqual(['first', 'first', 'second']);
    });

    it('keeps logs apart', async () => {
      const other = newId();
      await logs.append(id, 'label', batch(1, ['1']), TIMES);
      await logs.append(other, 'other', batch(1, ['x'], true), TIMES);
      expect(await peer.read(id, 0, 9)).toMatchObject({ label: 'label', entries: ['1'], ended: false, alive: true });
      expect(await peer.read(other, 0, 9)).toMatchObject({ label: 'other', entries: ['x'], ended: true });
    });
  });
}
