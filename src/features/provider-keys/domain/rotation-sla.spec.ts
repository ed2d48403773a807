import { describe, expect, it } from '@jest/globals';
import { bucketOf, slaEventOf } from './rotation-sla.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const at = (ms: number): Date => new Date(NOW.getTime() + ms);
const DAY = 86_400_000;

describe('a deadline', () => {
  it.each([
    ['long past', -DAY, 'rotation_sla_breached'],
    ['now', 0, 'rotation_sla_breached'],
    ['in a moment', 1, 'rotation_sla_warning'],
    ['in a day', DAY, 'rotation_sla_warning'],
    ['later', DAY + 1, undefined],
  ])('%s', (_name, ms, event) => {
    expect(slaEventOf(at(ms), NOW, 24)).toBe(event);
  });

  it('is announced once in each stretch of time', () => {
    expect(bucketOf(NOW, 6)).toBe(bucketOf(at(6 * 3_600_000 - 1), 6));
    expect(bucketOf(NOW, 6)).not.toBe(bucketOf(at(6 * 3_600_000), 6));
  });
});
