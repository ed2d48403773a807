import { beforeEach, describe, expect, it } from '@jest/globals';
import { loadSettings } from '../../../kernel/settings.js';
import { ManualClock } from '../../../kernel/time.js';
import { rateLimitsSettings } from '../rate-limits.settings.js';
import { AddressThrottle } from './address-throttle.js';

const IP = '203.0.113.9';

let clock: ManualClock;
const throttle = (env: Record<string, string> = {}): AddressThrottle =>
  new AddressThrottle(
    loadSettings({ PREAUTH_IP_RPS: '2', PREAUTH_IP_BURST: '3', ...env }, [rateLimitsSettings]).get(rateLimitsSettings),
    clock,
  );
const refuse = (one: AddressThrottle, times: number, ip: string | undefined = IP): void => {
  for (let n = 0; n < times; n += 1) one.refused(ip, 'Bearer wrong');
};

beforeEach(() => {
  clock = new ManualClock();
});

describe('AddressThrottle', () => {
  it('lets an address try until its refusals are used up, and again after the wait', () => {
    const own = throttle();
    refuse(own, 2);
    expect(own.waitMs(IP, 'Bearer x')).toBe(0);
    refuse(own, 1);
    expect(own.waitMs(IP, 'Bearer x')).toBe(500);
    expect(own.waitMs(IP, undefined)).toBe(500);
    clock.advance(500);
    expect(own.waitMs(IP, 'Bearer x')).toBe(0);
  });

  it('counts nothing for what is accepted', () => {
    const own = throttle();
    for (let n = 0; n < 100; n += 1) own.accepted('Bearer good');
    expect(own.waitMs(IP, 'Bearer x')).toBe(0);
  });

  it('makes up for what was under way at once, up to one burst', () => {
    const own = throttle();
    refuse(own, 1000);
    expect(own.waitMs(IP, 'Bearer x')).toBe(2000);
  });

  // One guesser in an office, or behind a proxy nobody declared, would otherwise lock everybody out.
  it('lets a credential pass that was accepted before, until it is refused', () => {
    const own = throttle();
    own.accepted('Bearer good');
    refuse(own, 3);
    expect(own.waitMs(IP, 'Bearer good')).toBe(0);
    own.refused(IP, 'Bearer good');
    expect(own.waitMs(IP, 'Bearer good')).toBeGreaterThan(0);
  });

  it('keeps addresses apart, but not those of one IPv6 network', () => {
    const own = throttle();
    refuse(own, 3, '2001:db8:1:2::1');
    expect(own.waitMs('2001:db8:1:2:ffff::2', undefined)).toBeGreaterThan(0);
    expect(own.waitMs('2001:db8:1:3::1', undefined)).toBe(0);
    expect(own.waitMs(undefined, undefined)).toBe(0);
  });

  it('does nothing when limits are off', () => {
    const own = throttle({ RATE_LIMIT_ENABLED: 'false' });
    refuse(own, 10);
    expect(own.waitMs(IP, undefined)).toBe(0);
  });
});
