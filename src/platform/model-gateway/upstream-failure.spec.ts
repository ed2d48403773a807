import { describe, expect, it } from '@jest/globals';
import { isConnectionError, kindOfStatus, parseRetryAfter } from './upstream-failure.js';

describe('kindOfStatus', () => {
  it.each([
    [400, 'rejected'],
    [401, 'auth'],
    [403, 'auth'],
    [404, 'rejected'],
    [408, 'timeout'],
    [429, 'throttled'],
    [500, 'unavailable'],
    [503, 'unavailable'],
    [504, 'timeout'],
  ])('%d is %s', (status, kind) => expect(kindOfStatus(status)).toBe(kind));
});

describe('parseRetryAfter', () => {
  it.each([
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
    ['0', 0],
    ['1.5', 1500],
    ['-3', 0],
    ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
    ['Thu, 01 Jan 2015 00:00:00 GMT', 0],
  ])('%p is %p ms', (header, ms) => {
    expect(parseRetryAfter(header, new Date('2026-01-01T00:00:00Z'))).toBe(ms);
  });
});

describe('isConnectionError', () => {
  it('looks at the causes', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    expect(isConnectionError(new Error('outer', { cause: refused }))).toBe(true);
    expect(isConnectionError(new TypeError('terminated'))).toBe(true);
    expect(isConnectionError(Object.assign(new Error('no file'), { code: 'ENOENT' }))).toBe(false);
    expect(isConnectionError('text')).toBe(false);
  });
});
