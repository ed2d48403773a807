import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../kernel/time.js';
import { Lifecycle, StopRequests } from './lifecycle.js';

describe('StopRequests', () => {
  // Under npm, one Ctrl-C arrives twice; taking it for two would cut every request off instead of draining.
  it('takes repetitions within half a second for one request', () => {
    const clock = new ManualClock();
    const requests = new StopRequests(clock);
    expect(requests.receive()).toBe('first');
    clock.advance(499);
    expect(requests.receive()).toBe('repeated');
    clock.advance(1);
    expect(requests.receive()).toBe('second');
  });
});

describe('Lifecycle', () => {
  it('stops in reverse order, also past a part that fails to', async () => {
    const stopped: string[] = [];
    const life = new Lifecycle();
    for (const part of ['database', 'jobs', 'server']) {
      life.onStop(async () => {
        stopped.push(part);
        if (part === 'jobs') throw new Error('stuck');
      });
    }
    await life.stop();
    await life.stop();
    expect(stopped).toEqual(['server', 'jobs', 'database']);
  });

  // One after the other, a stream and a job that both take their time would end in a hard exit.
  it('stops parts that belong together at the same time, and what they need after both', async () => {
    const events: string[] = [];
    const life = new Lifecycle();
    let open = (): void => undefined;
    const jobsEnded = new Promise<void>((resolve) => (open = resolve));
    life.onStop(async () => void events.push('database'));
    life.onStop(async () => {
      events.push('answers');
      open();
    });
    life.alongside(async () => {
      events.push('jobs');
      await jobsEnded;
      events.push('jobs ended');
    });
    await life.stop();
    expect(events).toEqual(['answers', 'jobs', 'jobs ended', 'database']);
  });

  it('allows for the longest of its drains and some time for the rest', () => {
    const life = new Lifecycle();
    const rest = life.limitMs;
    expect(rest).toBeGreaterThanOrEqual(10_000);
    life.onStop(async () => undefined, 600_000);
    life.alongside(async () => undefined, 15_000);
    expect(life.limitMs).toBe(600_000 + rest);
  });
});
