import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SharedState } from './shared-state.js';

export interface OpenSharedState {
  readonly state: SharedState;
  /** Another handle to what `state` shares: another process when it is distributed, the same object otherwise. */
  readonly peer: SharedState;
  /** Lets this many seconds pass for the store. */
  pass(seconds: number): Promise<void>;
}

/** What every shared state guarantees. Keys and channels of a test start with a `scope` that no other test uses. */
export function describeSharedState(name: string, open: () => OpenSharedState, scope: () => string): void {
  describe(`${name} as shared state`, () => {
    let state: SharedState;
    let peer: SharedState;
    let pass: OpenSharedState['pass'];
    let own: string;
    beforeEach(() => {
      ({ state, peer, pass } = open());
      own = scope();
    });
    afterEach(async () => {
      await state.close();
      await peer.close();
    });

    /** Messages that a listener received; `next` waits for one. */
    function inbox(): { listener: (message: string) => void; next: () => Promise<string> } {
      const messages: string[] = [];
      const waiting: ((message: string) => void)[] = [];
      return {
        listener: (message) => {
          const waiter = waiting.shift();
          if (waiter === undefined) messages.push(message);
          else waiter(message);
        },
        next: () => {
          const message = messages.shift();
          return message === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(message);
        },
      };
    }

    it('returns what was set until it is deleted', async () => {
      await state.set(`${own}:a`, 'one', 60);
      await state.set(`${own}:a`, 'zwei ✓', 60);
      expect(await peer.get(`${own}:a`)).toBe('zwei ✓');
      await peer.delete(`${own}:a`);
      expect(await state.get(`${own}:a`)).toBeUndefined();
      await expect(state.delete(`${own}:a`)).resolves.toBeUndefined();
    });

    it('forgets a value after its time to live, also in lists', async () => {
      await state.set(`${own}:short`, 'x', 0.05);
      await state.set(`${own}:long`, 'y', 60);
      await pass(0.1);
      expect(await state.get(`${own}:short`)).toBeUndefined();
      expect(await state.list(`${own}:`)).toEqual({ [`${own}:long`]: 'y' });
    });

    // A heartbeat that kept the first expiry would let a live worker vanish.
    it('counts the time to live from the last set', async () => {
      await state.set(`${own}:a`, 'x', 0.05);
      await state.set(`${own}:a`, 'x', 60);
      await pass(0.1);
      expect(await state.get(`${own}:a`)).toBe('x');
    });

    it('lists exactly the keys with a prefix, taken literally', async () => {
      await state.set(`${own}:b*:1`, 'one', 60);
      await state.set(`${own}:b*:2`, 'two', 60);
      await state.set(`${own}:bx:3`, 'three', 60);
      expect(await peer.list(`${own}:b*:`)).toEqual({ [`${own}:b*:1`]: 'one', [`${own}:b*:2`]: 'two' });
      expect(await peer.list(`${own}:nothing`)).toEqual({});
    });

    it('hands a message to every listener of its channel and to no other', async () => {
      const [first, second, other] = [inbox(), inbox(), inbox()];
      await state.subscribe(own, first.listener);
      await peer.subscribe(own, second.listener);
      await state.subscribe(`${own}-other`, other.listener);
      await state.publish(own, 'hello');
      expect(await first.next()).toBe('hello');
      expect(await second.next()).toBe('hello');
      await peer.publish(`${own}-other`, 'for the other');
      expect(await other.next()).toBe('for the other');
    });

    it('stops calling a listener that unsubscribed and keeps the others', async () => {
      const [gone, stays] = [inbox(), inbox()];
      const stop = await state.subscribe(own, gone.listener);
      await state.subscribe(own, stays.listener);
      await state.publish(own, 'both');
      expect(await gone.next()).toBe('both');
      expect(await stays.next()).toBe('both');
      await stop();
      await state.publish(own, 'one');
      expect(await stays.next()).toBe('one');
      expect(await Promise.race([gone.next(), Promise.resolve('nothing')])).toBe('nothing');
    });

    it('listens again after the last listener of a channel left', async () => {
      const stop = await state.subscribe(own, inbox().listener);
      await stop();
      const again = inbox();
      await state.subscribe(own, again.listener);
      await peer.publish(own, 'hello');
      expect(await again.next()).toBe('hello');
    });

    // One broken cache must not keep the others stale, nor fail the request that revoked a key.
    it('delivers to the other listeners when one throws', async () => {
      const sound = inbox();
      await state.subscribe(own, () => {
        throw new Error('broken');
      });
      await state.subscribe(own, sound.listener);
      await expect(state.publish(own, 'hello')).resolves.toBeUndefined();
      expect(await sound.next()).toBe('hello');
    });

    it('answers a ping', async () => {
      await expect(state.ping()).resolves.toBeUndefined();
    });
  });
}
