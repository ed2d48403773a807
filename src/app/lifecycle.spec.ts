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
});
