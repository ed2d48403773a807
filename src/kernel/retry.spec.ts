import { describe, expect, it } from '@jest/globals';
import { Ids } from './ids.js';
import { AttemptTimeout, retry } from './retry.js';
import type { RetryOptions } from './retry.js';
import { ManualClock } from './time.js';

class FixedIds extends Ids {
  constructor(private readonly value: number) {
    super();
  }
  uuid(): string {
    return '';
  }
  opaque(): string {
    return '';
  }
  secret(): string {
    return '';
  }
  fraction(): number {
    return this.value;
  }
}

/** Lets every pending promise callback run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function options(clock: ManualClock, overrides: Partial<RetryOptions> = {}): RetryOptions {
  return {
    attempts: 3,
    backoffMs: 200,
    timeoutMs: 8000,
    clock,
    ids: new FixedIds(0.5),
    retryable: () => true,
    ...overrides,
  };
}

describe('retry', () => {
  it('answers after one failure with two calls', async () => {
    const clock = new ManualClock();
    let calls = 0;
    const result = retry(async () => {
      calls += 1;
      if (calls === 1) throw new Error('first');
      return 'ok';
    }, options(clock));
    await settle();
    expect(calls).toBe(1);
    clock.advance(200);
    await expect(result).resolves.toBe('ok');
    expect(calls).toBe(2);
  });

  it.each([
    [0, [100, 200]],
    [0.5, [200, 400]],
    [1, [300, 600]],
  ])('doubles the wait and varies it by half: fraction %p', async (fraction, waits) => {
    const clock = new ManualClock();
    const startedAt: number[] = [];
    const result = retry(
      async () => {
        startedAt.push(clock.monotonic());
        throw new Error('always');
      },
      options(clock, { ids: new FixedIds(fraction) }),
    );
    const outcome = expect(result).rejects.toThrow('always');
    for (const wait of waits) {
      await settle();
      clock.advance(wait - 1);
      await settle();
      clock.advance(1);
    }
    await outcome;
    expect(startedAt).toEqual([0, waits[0], (waits[0] ?? 0) + (waits[1] ?? 0)]);
  });

  it('does not repeat what cannot help', async () => {
    let calls = 0;
    const result = retry(
      async () => {
        calls += 1;
        throw new Error('refused');
      },
      options(new ManualClock(), { retryable: () => false }),
    );
    await expect(result).rejects.toThrow('refused');
    expect(calls).toBe(1);
  });

  // A client that ignores its signal would otherwise hold the request for ever.
  it('ends an attempt at its timeout though the call ignores the signal', async () => {
    const clock = new ManualClock();
    const signals: AbortSignal[] = [];
    const result = retry(
      (signal) => {
        signals.push(signal);
        return new Promise<never>(() => undefined);
      },
      options(clock, { attempts: 1 }),
    );
    const outcome = expect(result).rejects.toBeInstanceOf(AttemptTimeout);
    clock.advance(8000);
    await outcome;
    expect(signals[0]?.aborted).toBe(true);
  });

  it('gives each attempt the full timeout', async () => {
    const clock = new ManualClock();
    const result = retry(
      (_signal, attempt) => (attempt === 1 ? new Promise<never>(() => undefined) : Promise.resolve('late')),
      options(clock, { retryable: (error) => error instanceof AttemptTimeout }),
    );
    clock.advance(8000);
    await settle();
    clock.advance(200);
    await expect(result).resolves.toBe('late');
  });

  it('waits as long as the upstream asks', async () => {
    const clock = new ManualClock();
    let calls = 0;
    const result = retry(
      async () => {
        calls += 1;
        if (calls === 1) throw new Error('429');
        return calls;
      },
      options(clock, { requestedWaitMs: () => 5000 }),
    );
    await settle();
    clock.advance(4999);
    await settle();
    expect(calls).toBe(1);
    clock.advance(1);
    await expect(result).resolves.toBe(2);
  });

  it('gives up when the upstream asks for too long a wait', async () => {
    const result = retry(
      () => Promise.reject(new Error('429')),
      options(new ManualClock(), { requestedWaitMs: () => 60_000 }),
    );
    await expect(result).rejects.toThrow('429');
  });

  it('throws the abort reason during an attempt and during a wait', async () => {
    for (const failing of [true, false]) {
      const clock = new ManualClock();
      const controller = new AbortController();
      let calls = 0;
      const result = retry(
        () => {
          calls += 1;
          return failing ? Promise.reject(new Error('down')) : new Promise<never>(() => undefined);
        },
        options(clock, { signal: controller.signal }),
      );
      const outcome = expect(result).rejects.toThrow('client left');
      await settle();
      controller.abort(new Error('client left'));
      await outcome;
      clock.advance(60_000);
      await settle();
      expect(calls).toBe(1);
    }
  });

  // A stream goes on using its connection after the attempt that opened it has succeeded.
  it('does not fire the attempt signal after success', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const signal = await retry((attempt) => Promise.resolve(attempt), options(clock, { signal: controller.signal }));
    clock.advance(60_000);
    controller.abort();
    expect(signal.aborted).toBe(false);
  });
});
