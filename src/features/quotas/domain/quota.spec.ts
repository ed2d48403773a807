import { describe, expect, it } from '@jest/globals';
import { changed, effective, raises, UNSET } from './limits.js';
import { dayOf, lastDays, periodAt, periodsAt } from './period.js';
import { blockedBy, quotaHeaders, remaining, softCapReached, type Standing, type Standings } from './quota.js';

const NOON = new Date('2026-02-17T12:00:00Z');
const standing = (type: 'day' | 'month', limit: number | null, used: number): Standing => ({
  period: periodAt(type, NOON),
  limit,
  used,
});
const standings = (day: [number | null, number], month: [number | null, number]): Standings => [
  standing('day', ...day),
  standing('month', ...month),
];

describe('a period', () => {
  it.each([
    ['2026-02-17T00:00:00Z', '2026-02-17', '2026-02-18', '2026-02-01', '2026-03-01'],
    ['2026-12-31T23:59:59.999Z', '2026-12-31', '2027-01-01', '2026-12-01', '2027-01-01'],
    ['2028-02-29T01:00:00+02:00', '2028-02-28', '2028-02-29', '2028-02-01', '2028-03-01'],
  ])('that contains %s begins and ends in UTC', (at, ...expected) => {
    const [day, month] = periodsAt(new Date(at));
    expect([day.start, day.end, month.start, month.end].map(dayOf)).toEqual(expected);
  });

  it('is the known one until that ends', () => {
    const known = periodsAt(new Date('2026-02-28T23:59:59.999Z'));
    expect(periodsAt(new Date('2026-02-28T00:00:00Z'), known)).toBe(known);
    expect(periodsAt(new Date('2026-03-01T00:00:00Z'), known).map(({ id }) => id)).toEqual([
      'day:2026-03-01',
      'month:2026-03-01',
    ]);
  });

  it('has a name of its own', () => {
    const first = new Date('2026-02-01T00:00:00Z');
    expect([periodAt('day', first).id, periodAt('month', NOON).id]).toEqual(['day:2026-02-01', 'month:2026-02-01']);
  });

  it('of days ends with today, across months', () => {
    expect(lastDays(3, new Date('2026-03-01T23:00:00Z'))).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
  });
});

describe('a standing', () => {
  it('never has less than nothing left', () => {
    expect([remaining(standing('day', 5, 7)), remaining(standing('day', null, 7))]).toEqual([0, null]);
  });

  it.each([
    [10, 7, 0.8, false],
    [10, 8, 0.8, true],
    [100, 7, 0.07, true],
    [2, 1, 1, false],
    [2, 2, 1, true],
    [5, 0, 0, true],
    [0, 0, 0.8, false],
    [null, 9, 0.8, false],
  ])('of %p with %p used and a ratio of %p: soft cap %p', (limit, used, ratio, reached) => {
    expect(softCapReached(standing('day', limit, used), ratio)).toBe(reached);
  });

  it.each([
    [[5, 4], [null, 4], 1, undefined],
    [[5, 3], [20, 3], 3, 'day'],
    [[5, 5], [5, 5], 1, 'month'],
    [[null, 5], [5, 5], 1, 'month'],
  ] as const)('of day %p and month %p is passed by %p units: %p', (day, month, units, period) => {
    expect(blockedBy(standings([...day], [...month]), units)?.period.type).toBe(period);
  });

  it('is told in eight headers', () => {
    const limits = { ...effective(UNSET, { daily: 10, monthly: null }), hardCapEnabled: false };
    expect(quotaHeaders(standings([10, 12], [null, 12]), limits)).toEqual({
      'X-Quota-Day-Limit': '10',
      'X-Quota-Day-Used': '12',
      'X-Quota-Day-Remaining': '0',
      'X-Quota-Month-Limit': 'unlimited',
      'X-Quota-Month-Used': '12',
      'X-Quota-Month-Remaining': 'unlimited',
      'X-Quota-SoftCap-Reached': 'true',
      'X-Quota-HardCap-Mode': 'observe',
    });
  });
});

describe('limits', () => {
  const plan = { daily: 500, monthly: 10_000 };

  it('come from the plan until they are set, each by itself', () => {
    const stored = changed(UNSET, { dailyRequests: null, softCapRatio: 0.5, monthlyRequests: undefined }, true);
    expect(effective(stored, plan)).toMatchObject({ dailyRequests: null, monthlyRequests: 10_000, softCapRatio: 0.5 });
    expect(effective(changed(stored, { monthlyRequests: 7 }, true), plan)).toMatchObject({
      dailyRequests: null,
      monthlyRequests: 7,
    });
  });

  // An admin who may not choose plans writes down the limits of a large plan, and is moved to a small one.
  it('hold above the plan only if whoever set them may choose plans', () => {
    const changes = { dailyRequests: null, monthlyRequests: 20_000 };
    const limits = (authority: boolean) => effective(changed(UNSET, changes, authority), plan);
    expect(limits(false)).toMatchObject({ dailyRequests: 500, monthlyRequests: 10_000 });
    expect(limits(true)).toMatchObject(changes);
    expect(effective(changed(UNSET, { dailyRequests: 7 }, false), plan)).toMatchObject({ dailyRequests: 7 });
  });

  it.each([
    [{ dailyRequests: 501 }, true],
    [{ dailyRequests: null }, true],
    [{ hardCapEnabled: false }, true],
    [{ dailyRequests: 500, monthlyRequests: 1 }, false],
    [{ softCapRatio: 1 }, false],
  ])('changed by %p: more than before %p', (changes, more) => {
    expect(raises(effective(UNSET, plan), effective(changed(UNSET, changes, true), plan))).toBe(more);
  });
});
