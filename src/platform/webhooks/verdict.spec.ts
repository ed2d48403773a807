import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../../kernel/settings.js';
import { judge, requestedWaitMs } from './verdict.js';
import { webhookSettings } from './webhooks.settings.js';

const now = new Date('2026-03-01T00:00:00Z');
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const delaysMs = loadSettings({}, [webhookSettings])
  .get(webhookSettings)
  .retryDelays.map((seconds) => Number(seconds) * SECOND);
const attempt = (status: number | null, retryAfterMs = 0) => ({
  startedAt: now,
  durationMs: 1,
  status,
  error: status === null ? 'timeout' : status < 300 ? null : `http_${status}`,
  retryAfterMs,
});

describe('after an attempt', () => {
  it('a delivery follows the schedule of Standard Webhooks, and is dead after its last attempt', () => {
    const waits = Array.from({ length: 10 }, (_, made) => judge(attempt(500), made + 1, { maxAttempts: 10, delaysMs }));
    expect(waits.map(({ waitMs }) => waitMs)).toEqual([
      5 * SECOND,
      5 * MINUTE,
      30 * MINUTE,
      2 * HOUR,
      5 * HOUR,
      10 * HOUR,
      14 * HOUR,
      20 * HOUR,
      24 * HOUR,
      0,
    ]);
    expect(waits.map(({ state }) => state)).toEqual([...new Array<string>(9).fill('pending'), 'dead']);
  });

  it('repeats the last wait when there are more attempts than waits', () => {
    expect(judge(attempt(500), 7, { maxAttempts: 9, delaysMs: [1, 2] })).toMatchObject({ waitMs: 2 });
  });

  it.each([200, 201, 204, 299])('is delivered by %d', (status) => {
    expect(judge(attempt(status), 1, { maxAttempts: 5, delaysMs })).toMatchObject({ state: 'delivered' });
  });

  it.each([null, 301, 302, 307, 400, 401, 404, 429, 500, 503])('waits for another attempt after %s', (status) => {
    const verdict = judge(attempt(status), 1, { maxAttempts: 5, delaysMs });
    expect(verdict).toEqual({ state: 'pending', waitMs: 5 * SECOND, stopsEndpoint: false });
  });

  it('is dead at once, with its endpoint, after 410', () => {
    const verdict = judge(attempt(410), 1, { maxAttempts: 5, delaysMs });
    expect(verdict).toEqual({ state: 'dead', waitMs: 0, stopsEndpoint: true });
  });

  it('waits as long as the receiver asks for, when that is longer', () => {
    const waitOf = (ms: number) => judge(attempt(429, ms), 1, { maxAttempts: 5, delaysMs }).waitMs;
    expect([waitOf(1_000), waitOf(60_000)]).toEqual([5 * SECOND, MINUTE]);
  });
});

describe('Retry-After', () => {
  it.each([
    [429, '120', 120_000],
    [503, 'Sun, 01 Mar 2026 00:01:00 GMT', MINUTE],
    [503, 'Sat, 28 Feb 2026 00:00:00 GMT', 0],
    [429, '99999999999', 24 * HOUR],
    [429, 'Sun, 01 Mar 2099 00:00:00 GMT', 24 * HOUR],
    [429, '-5', 0],
    [429, 'soon', 0],
    [429, undefined, 0],
    [500, '120', 0],
    [200, '120', 0],
  ])('of %d %s is %d ms', (status, header, ms) => {
    expect(requestedWaitMs(status, header, now)).toBe(ms);
  });
});
