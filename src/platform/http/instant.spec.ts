import { describe, expect, it } from '@jest/globals';
import { isInstant } from './instant.js';

describe('an instant', () => {
  it.each(['2026-01-31T09:00:00Z', '2026-01-31T09:00+14:59', '2024-02-29T23:59:59.123456-05:30', '0050-01-01T00:00Z'])(
    'is %s',
    (text) => expect(isInstant(text)).toBe(true),
  );

  // What passes here is given to the database, where it would fail as an error of ours.
  it.each([
    '2026-01-31T09:00:00',
    '2026-01-31',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T09:00:60Z',
    '2026-01-31T09:00:00+15:00',
    '2026-01-31T09:00:00 02:00',
    '2026-W05-1T09:00:00Z',
    'now',
    '',
    undefined,
    5,
  ])('is not %s', (text) => expect(isInstant(text)).toBe(false));
});
