import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CircuitBreaker } from './circuit-breaker.js';
import type { BreakerState, Permit } from './circuit-breaker.js';
import { isAppError } from './errors.js';
import { ManualClock } from './time.js';

function setup(failureThreshold = 2, halfOpenTrials = 2) {
  const clock = new ManualClock();
  const transitions: BreakerState[] = [];
  const breaker = new CircuitBreaker('llm.test', {
    policy: { failureThreshold, openMs: 10_000, halfOpenTrials },
    clock,
    onTransition: (_name, state) => transitions.push(state),
  });
  return { clock, breaker, transitions };
}

function enter(breaker: CircuitBreaker): Permit {
  const permit = breaker.tryEnter();
  if (permit === undefined) throw new Error('refused');
  return permit;
}

const isFailure = (): boolean => true;

describe('CircuitBreaker', () => {
  it('rejects the third call without making it, allows a trial after the wait, closes on success', async () => {
    const { clock, breaker, transitions } = setup();
    let calls = 0;
    const call = async (): Promise<string> => {
      calls += 1;
      if (calls <= 2) throw new Error('down');
      return 'up';
    };
    await expect(breaker.run(call, isFailure)).rejects.toThrow('down');
    await expect(breaker.run(call, isFailure)).rejects.toThrow('down');
    const refused: unknown = await breaker.run(call, isFailure).catch((error: unknown) => error);
    expect(isAppError(refused, 'INTEGRATION_UNAVAILABLE') && refused.headers['Retry-After']).toBe('10');
    expect(calls).toBe(2);
    clock.advance(11_000);
    await expect(breaker.run(call, isFailure)).resolves.toBe('up');
    expect(transitions).toEqual(['open', 'half_open', 'closed']);
  });

  it('counts failures in a row only', () => {
    const { breaker } = setup();
    enter(breaker).fail();
    enter(breaker).succeed();
    enter(breaker).fail();
    expect(breaker.state).toBe('closed');
  });

  it('does not count errors that blame the caller', async () => {
    const { breaker } = setup();
    for (let n = 0; n < 5; n += 1) {
      await expect(
        breaker.run(
          () => Promise.reject(new Error('400')),
          () => false,
        ),
      ).rejects.toThrow('400');
    }
    expect(breaker.state).toBe('closed');
  });

  it('reopens for the full time when a trial fails', () => {
    const { clock, breaker } = setup();
    enter(breaker).fail();
    enter(breaker).fail();
    clock.advance(10_000);
    enter(breaker).fail();
    clock.advance(9_999);
    expect(breaker.tryEnter()).toBeUndefined();
    clock.advance(1);
    expect(breaker.state).toBe('half_open');
  });

  // A trial whose client left would otherwise keep the breaker half open and refusing for ever.
  it('gives a trial slot back when the trial proves nothing', () => {
    const { clock, breaker } = setup(1, 1);
    enter(breaker).fail();
    clock.advance(10_000);
    const trial = enter(breaker);
    expect(breaker.tryEnter()).toBeUndefined();
    trial.release();
    trial.release();
    expect(breaker.tryEnter()).toBeDefined();
    expect(breaker.tryEnter()).toBeUndefined();
  });

  it('ignores a slow call from before it opened', () => {
    const { clock, breaker } = setup();
    const slow = enter(breaker);
    enter(breaker).fail();
    enter(breaker).fail();
    clock.advance(10_000);
    expect(breaker.state).toBe('half_open');
    slow.fail();
    expect(breaker.state).toBe('half_open');
  });

  it('never lets a call through while open nor more trials than allowed', () => {
    const step = fc.oneof(
      fc.constant('enter' as const),
      fc.constant('succeed' as const),
      fc.constant('fail' as const),
      fc.constant('release' as const),
      fc.integer({ min: 1, max: 12_000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, breaker } = setup();
        let pending: { permit: Permit; trial: number }[] = [];
        let halfOpens = 0;
        for (const action of steps) {
          const before = breaker.state;
          if (typeof action === 'number') {
            clock.advance(action);
            if (before === 'open' && breaker.state === 'half_open') halfOpens += 1;
          } else if (action === 'enter') {
            const permit = breaker.tryEnter();
            if (permit === undefined) continue;
            expect(before).not.toBe('open');
            pending.push({ permit, trial: before === 'half_open' ? halfOpens : 0 });
          } else {
            pending.shift()?.permit[action]();
          }
          if (breaker.state !== 'half_open') pending = pending.map(({ permit }) => ({ permit, trial: 0 }));
          expect(pending.filter(({ trial }) => trial > 0 && trial === halfOpens).length).toBeLessThanOrEqual(2);
        }
      }),
    );
  });
});
