import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Passage, TokenBucket, TrafficGate, UsageCounter } from './traffic-gate.js';

export interface OpenTrafficGate {
  readonly gate: TrafficGate;
  /** Another handle to the same limits: another process when they are distributed, the same object otherwise. */
  readonly peer: TrafficGate;
  /** Now, on the clock that counters expire by. */
  now(): Date;
  /** Lets this many seconds pass for the store, or somewhat more. */
  pass(seconds: number): Promise<void>;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

const bucket = (burst: number, rate = 0, id = 'key:k:read'): TokenBucket => ({ id, rate, burst });
const outcomes = (passages: readonly Passage[]): string[] => passages.map(({ outcome }) => outcome);

/** What every gate guarantees. Tenants are named by `newTenant`, so that no other test uses them. */
export function describeTrafficGate(name: string, open: () => OpenTrafficGate, newTenant: () => string): void {
  describe(`${name} as traffic gate`, () => {
    let opened: OpenTrafficGate;
    let gate: TrafficGate;
    let peer: TrafficGate;
    let tenant: string;
    beforeEach(() => {
      opened = open();
      ({ gate, peer } = opened);
      tenant = newTenant();
    });
    afterEach(() => opened.close());

    const take = (cost: number, ...buckets: TokenBucket[]): Promise<Passage> => gate.pass(tenant, cost, buckets, []);
    const tokens = async (of: TokenBucket): Promise<number | undefined> => {
      const passage = await peer.pass(tenant, 0, [of], []);
      return passage.outcome === 'unknown' ? undefined : passage.buckets[0]?.tokens;
    };
    const unknown = (more: Partial<UsageCounter> = {}): UsageCounter => ({
      id: 'day:2026-02-17',
      units: 1,
      limit: null,
      expiresAt: new Date(opened.now().getTime() + HOUR_MS),
      ...more,
    });
    const counter = (more: Partial<UsageCounter> = {}): UsageCounter => unknown({ atLeast: 0, ...more });
    const count = (...counters: UsageCounter[]): Promise<Passage> => gate.pass(tenant, 0, [], counters);
    /** What a counter holds, by a question that changes nothing. */
    const used = async (id = 'day:2026-02-17'): Promise<number | undefined> => {
      const passage = await peer.pass(tenant, 0, [], [unknown({ id, units: 0 })]);
      return passage.outcome === 'passed' ? passage.used[0] : undefined;
    };

    describe('buckets', () => {
      it('start full, give what is asked while they have it, and say how much is left', async () => {
        const own = bucket(5);
        expect(await take(2, own)).toEqual({
          outcome: 'passed',
          buckets: [{ tokens: 3, retryAfterMs: 0 }],
          used: [],
        });
        expect(await take(3, own)).toMatchObject({ outcome: 'passed', buckets: [{ tokens: 0 }] });
        expect(await take(1, own)).toEqual({ outcome: 'throttled', buckets: [{ tokens: 0, retryAfterMs: 1000 }] });
      });

      it('say how long the wait is, to the fraction of a token', async () => {
        const slow = bucket(1, 0.000_1);
        await take(0.75, slow);
        const passage = await take(1, slow);
        expect(passage).toMatchObject({ outcome: 'throttled' });
        const [level] = passage.outcome === 'throttled' ? passage.buckets : [];
        expect(level?.tokens).toBeGreaterThanOrEqual(0.25);
        expect(level?.retryAfterMs).toBeLessThanOrEqual(7_500_000);
        expect(level?.retryAfterMs).toBe(Math.ceil((1 - (level?.tokens ?? 0)) * 10_000 * 1000));
      });

      it('01 §10 case 5: have enough after the wait that they told', async () => {
        const own = bucket(1, 10);
        await take(1, own);
        const refused = await take(1, own);
        const [level] = refused.outcome === 'throttled' ? refused.buckets : [];
        await opened.pass((level?.retryAfterMs ?? 0) / 1000);
        expect(await take(1, own)).toMatchObject({ outcome: 'passed' });
      });

      it('fill up to their burst and no further', async () => {
        const own = bucket(2, 1000);
        await take(2, own);
        await opened.pass(0.1);
        expect(await tokens(own)).toBe(2);
      });

      // Case 8 of 01 §10. One bucket would otherwise pay for requests that the other refused.
      it('01 §10 case 8: take from all or from none', async () => {
        const [small, large] = [bucket(1), bucket(10, 0, 'tenant:read')];
        await take(1, small, large);
        for (let attempt = 0; attempt < 3; attempt += 1) {
          expect(await take(1, small, large)).toMatchObject({
            outcome: 'throttled',
            buckets: [
              { tokens: 0, retryAfterMs: 1000 },
              { tokens: 9, retryAfterMs: 0 },
            ],
          });
        }
        expect(await tokens(large)).toBe(9);
      });

      it('01 §10 case 6: let exactly as many of 100 pass at once as the burst allows', async () => {
        const own = bucket(10);
        const passages = await Promise.all(
          Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? gate : peer).pass(tenant, 1, [own], [])),
        );
        expect(outcomes(passages).filter((outcome) => outcome === 'passed')).toHaveLength(10);
      });

      it('never let more pass than burst and rate allow, however they are asked', async () => {
        const own = bucket(5, 50);
        const began = performance.now();
        const startedAt = opened.now().getTime();
        let passed = 0;
        for (let round = 0; round < 20; round += 1) {
          const passages = await Promise.all([gate, peer, gate, peer].map((one) => one.pass(tenant, 1, [own], [])));
          passed += outcomes(passages).filter((outcome) => outcome === 'passed').length;
          await opened.pass(0.013);
        }
        const elapsedMs = Math.max(performance.now() - began, opened.now().getTime() - startedAt);
        expect(passed).toBeLessThanOrEqual(5 + (elapsedMs / 1000) * 50 + 1e-3);
        expect(passed).toBeGreaterThanOrEqual(5 + 0.2 * 50);
      });

      it('of different names, and of different tenants, are different buckets', async () => {
        await take(1, bucket(1));
        expect(await take(1, bucket(1, 0, 'key:k:run'))).toMatchObject({ outcome: 'passed' });
        expect(await gate.pass(newTenant(), 1, [bucket(1)], [])).toMatchObject({ outcome: 'passed' });
      });
    });

    describe('counters', () => {
      it('count what passes, and keep it for everybody', async () => {
        expect(await count(counter({ units: 3 }))).toEqual({ outcome: 'passed', buckets: [], used: [3] });
        expect(await peer.pass(tenant, 0, [], [counter({ units: 2 })])).toMatchObject({ used: [5] });
      });

      it('lead up to their limit and not past it', async () => {
        const limited = counter({ units: 3, limit: 7 });
        expect(await count(limited)).toMatchObject({ outcome: 'passed', used: [3] });
        expect(await count(limited)).toMatchObject({ outcome: 'passed', used: [6] });
        expect(await count(limited)).toEqual({ outcome: 'exhausted', buckets: [], used: [6] });
        expect(await count(counter({ units: 1, limit: 7 }))).toMatchObject({ outcome: 'passed', used: [7] });
      });

      it('count in all or in none', async () => {
        const day = counter({ limit: 1 });
        const month = counter({ id: 'month:2026-02', limit: 10 });
        expect(await count(day, month)).toMatchObject({ outcome: 'passed', used: [1, 1] });
        expect(await count(month, day)).toMatchObject({ outcome: 'exhausted', used: [1, 1] });
        expect(await used('month:2026-02')).toBe(1);
      });

      // A customer who sold out at midnight by a race sold somebody else's money.
      it('let exactly as many of 100 pass at once as the limit allows', async () => {
        const passages = await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            (index % 2 === 0 ? gate : peer).pass(tenant, 0, [], [counter({ units: 3, limit: 40 })]),
          ),
        );
        expect(outcomes(passages).filter((outcome) => outcome === 'passed')).toHaveLength(13);
        expect(await used()).toBe(39);
      });

      it('count nothing for what the buckets refuse, and are not even asked for then', async () => {
        await gate.pass(tenant, 1, [bucket(1)], [counter()]);
        const month = unknown({ id: 'month:2026-02' });
        expect(await gate.pass(tenant, 1, [bucket(1)], [counter(), month])).toMatchObject({ outcome: 'throttled' });
        expect(await used()).toBe(1);
      });

      it('at their limit cost the tokens all the same', async () => {
        const own = bucket(5);
        const full = counter({ limit: 0 });
        expect(await gate.pass(tenant, 2, [own], [full])).toEqual({
          outcome: 'exhausted',
          buckets: [{ tokens: 3, retryAfterMs: 0 }],
          used: [0],
        });
      });

      it('that are missing and unknown stop the passage before anything is touched', async () => {
        const own = bucket(5);
        const month = unknown({ id: 'month:2026-02' });
        expect(await gate.pass(tenant, 2, [own], [counter(), month])).toEqual({ outcome: 'unknown' });
        expect(await tokens(own)).toBe(5);
        expect(await used()).toBeUndefined();
        expect(await gate.pass(tenant, 2, [own], [counter(), { ...month, atLeast: 4 }])).toMatchObject({
          used: [1, 5],
        });
        expect(await gate.pass(tenant, 2, [own], [counter(), month])).toMatchObject({ used: [2, 6] });
      });

      it('go on from what is known to be counted, and never fall back to it', async () => {
        expect(await count(counter({ atLeast: 100 }))).toMatchObject({ used: [101] });
        expect(await count(counter({ atLeast: 50 }))).toMatchObject({ used: [102] });
        expect(await count(counter({ atLeast: 200, limit: 200 }))).toMatchObject({ outcome: 'exhausted', used: [200] });
        expect(await used()).toBe(200);
      });

      it('are looked at with no units, also past a limit that was lowered', async () => {
        await count(counter({ units: 9 }));
        expect(await count(counter({ units: 0, limit: 5 }))).toMatchObject({ outcome: 'passed', used: [9] });
        expect(await count(counter({ units: 1, limit: 5 }))).toMatchObject({ outcome: 'exhausted', used: [9] });
      });

      it('count large numbers exactly', async () => {
        expect(await count(counter({ atLeast: 9_007_199_254_740_000 }))).toMatchObject({
          used: [9_007_199_254_740_001],
        });
      });

      it('are forgotten at their end, which giving back does not move', async () => {
        await count(counter({ units: 5, expiresAt: new Date(opened.now().getTime() + 300) }));
        await gate.giveBack(tenant, [{ id: 'day:2026-02-17', units: 1 }]);
        expect(await used()).toBe(4);
        // The question above asked to keep it for an hour; the end that counts is the one of the latest passage.
        await count(counter({ expiresAt: new Date(opened.now().getTime() + 100) }));
        await gate.giveBack(tenant, [{ id: 'day:2026-02-17', units: 1 }]);
        await opened.pass(0.2);
        expect(await used()).toBeUndefined();
      });

      it('take back what did not happen, never below zero, and nothing when they are missing', async () => {
        await count(counter({ units: 5 }));
        await gate.giveBack(tenant, [
          { id: 'day:2026-02-17', units: 2 },
          { id: 'month:2026-02', units: 2 },
        ]);
        expect(await used()).toBe(3);
        expect(await used('month:2026-02')).toBeUndefined();
        await gate.giveBack(tenant, [{ id: 'day:2026-02-17', units: 10 }]);
        expect(await used()).toBe(0);
      });

      it('are raised to what another source knows, and never lowered by it', async () => {
        const expiresAt = new Date(opened.now().getTime() + HOUR_MS);
        await count(counter({ units: 5 }));
        await gate.raise(tenant, [
          { id: 'day:2026-02-17', atLeast: 3, expiresAt },
          { id: 'month:2026-02', atLeast: 8, expiresAt },
        ]);
        expect([await used(), await used('month:2026-02')]).toEqual([5, 8]);
        await gate.raise(tenant, [{ id: 'day:2026-02-17', atLeast: 12, expiresAt }]);
        expect(await used()).toBe(12);
      });

      it('of different tenants are different counters', async () => {
        await count(counter());
        expect(await gate.pass(newTenant(), 0, [], [counter()])).toMatchObject({ used: [1] });
      });
    });
  });
}
