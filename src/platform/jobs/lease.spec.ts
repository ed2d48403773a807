import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../kernel/time.js';
import { Lease, LeaseLost } from './lease.js';

const LEASE_MS = 30_000;

function lease(renew: () => Promise<boolean>): { clock: ManualClock; lease: Lease } {
  const clock = new ManualClock();
  return { clock, lease: new Lease(renew, LEASE_MS, clock) };
}

/** Moves time and lets the renewal that fell due settle. */
async function advance(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

describe('Lease', () => {
  it('is renewed every third of its time for as long as the work takes', async () => {
    let renewals = 0;
    const { clock, lease: held } = lease(async () => {
      renewals += 1;
      return true;
    });
    for (let third = 0; third < 30; third += 1) await advance(clock, LEASE_MS / 3);
    expect(renewals).toBe(30);
    expect(held.lost).toBe(false);
    held.stop();
    await advance(clock, 10 * LEASE_MS);
    expect(renewals).toBe(30);
    expect(held.signal.aborted).toBe(false);
  });

  it('aborts the work when another worker has the job', async () => {
    const { clock, lease: held } = lease(async () => false);
    await advance(clock, LEASE_MS / 3);
    expect(held.lost).toBe(true);
    expect(held.signal.reason).toBeInstanceOf(LeaseLost);
  });

  it('outlives a renewal that fails, as long as a later one succeeds in time', async () => {
    const answers = [Promise.reject(new Error('away')), Promise.resolve(true)];
    const { clock, lease: held } = lease(() => answers.shift() ?? Promise.resolve(true));
    for (let third = 0; third < 4; third += 1) await advance(clock, LEASE_MS / 3);
    expect(held.lost).toBe(false);
    held.stop();
  });

  // Behind a database that hangs, another worker may take the job as soon as the lease is over.
  it('aborts the work when the lease runs out, though no renewal was refused', async () => {
    for (const renew of [
      () => new Promise<boolean>(() => undefined),
      () => Promise.reject<boolean>(new Error('away')),
    ]) {
      const { clock, lease: held } = lease(renew);
      await advance(clock, LEASE_MS / 3);
      await advance(clock, LEASE_MS / 3);
      expect(held.lost).toBe(false);
      await advance(clock, LEASE_MS / 3);
      expect(held.lost).toBe(true);
    }
  });

  // The lease in the database counts from the request, not from the answer.
  it('counts a slow renewal from the moment it was asked for', async () => {
    let answer: (held: boolean) => void = () => undefined;
    const { clock, lease: held } = lease(() => new Promise((resolve) => (answer = resolve)));
    await advance(clock, LEASE_MS / 3);
    await advance(clock, LEASE_MS / 2);
    answer(true);
    await advance(clock, 0);
    await advance(clock, LEASE_MS / 2 - 1);
    expect(held.lost).toBe(false);
    await advance(clock, 1);
    expect(held.lost).toBe(true);
  });
});
