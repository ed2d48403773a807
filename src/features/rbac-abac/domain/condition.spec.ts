import { describe, expect, it } from '@jest/globals';
import { checkCondition } from './condition-limits.js';
import { parseCondition } from './condition.js';

const LIMITS = { maxBytes: 16_384, maxDepth: 8 };
const codeOf = (json: unknown, limits = LIMITS): string => {
  const checked = checkCondition(json, limits);
  return checked.ok ? 'ok' : checked.code;
};
const reasonOf = (json: unknown): string => {
  const parsed = parseCondition(json);
  return parsed.ok ? 'ok' : parsed.reason;
};

const EQ = { eq: [{ var: 'principal.role' }, 'editor'] };
const nested = (levels: number, innermost: unknown): unknown =>
  levels === 0 ? innermost : { not: nested(levels - 1, innermost) };
/** Deeper than any recursion survives. */
const bottomless = (wrap: (inner: unknown) => unknown): unknown => {
  let json: unknown = true;
  for (let level = 0; level < 20_000; level += 1) json = wrap(json);
  return json;
};
const ofBytes = (bytes: number): unknown => {
  const empty = JSON.stringify({ eq: ['', ''] }).length;
  return { eq: ['', 'é'.repeat(10) + 'x'.repeat(bytes - empty - 20)] };
};

describe('a condition that is stored', () => {
  it('06 case AZ11: has at most eight levels, of which a comparison takes two', () => {
    expect(codeOf(nested(6, EQ))).toBe('ok');
    expect(codeOf(nested(7, EQ))).toBe('AUTHZ_POLICY_TOO_COMPLEX');
    expect(checkCondition(nested(7, EQ), LIMITS)).toMatchObject({ reason: 'condition has 9 levels; 8 are allowed' });
  });

  it.each([
    ['a literal', 7, true, 'ok'],
    ['a literal', 8, false, 'AUTHZ_POLICY_TOO_COMPLEX'],
    ['an empty object', 7, {}, 'ok'],
    ['an empty list', 6, { any: [] }, 'ok'],
    ['an empty list', 7, { any: [] }, 'AUTHZ_POLICY_TOO_COMPLEX'],
  ])('counts the levels around %s: %d', (_name, levels, innermost, code) => {
    expect(codeOf(nested(levels, innermost))).toBe(code);
  });

  it('06 case AZ12: is at most as large as configured, in bytes of compact JSON', () => {
    expect(codeOf(ofBytes(16_384))).toBe('ok');
    expect(codeOf(ofBytes(16_385))).toBe('AUTHZ_POLICY_TOO_COMPLEX');
    const json = { all: [EQ, { in: { left: 'é😀"\n', right: [1.5, null, true, {}, []] } }, {}] };
    const bytes = Buffer.byteLength(JSON.stringify(json));
    expect(codeOf(json, { ...LIMITS, maxBytes: bytes })).toBe('ok');
    expect(codeOf(json, { ...LIMITS, maxBytes: bytes - 1 })).toBe('AUTHZ_POLICY_TOO_COMPLEX');
  });

  it.each([
    ['an unknown operator', { matches: [1, 2] }],
    ['two operators in one node', { ...EQ, ne: [1, 2] }],
  ])('06 case AZ12: is refused with %s', (_name, json) => expect(codeOf(json)).toBe('AUTHZ_POLICY_INVALID'));

  it.each([
    ['operators', bottomless((inner) => ({ not: inner }))],
    ['lists of operators', bottomless((inner) => ({ all: [inner] }))],
    ['a literal', { eq: [bottomless((inner) => [inner]), 1] }],
    ['objects of no operator', bottomless((inner) => ({ x: inner }))],
  ])('is refused, and breaks nothing, with bottomless %s', (_name, json) => {
    const generous = { maxBytes: 2 ** 30, maxDepth: 2 ** 30 };
    expect(codeOf(json)).toBe('AUTHZ_POLICY_TOO_COMPLEX');
    expect(codeOf(json, generous)).toBe('AUTHZ_POLICY_INVALID');
  });

  it('is looked at for its size, then for its depth, then for its form', () => {
    const wrong = nested(9, { matches: [] });
    expect(checkCondition(wrong, { maxBytes: 10, maxDepth: 8 })).toMatchObject({
      reason: expect.stringMatching('bytes'),
    });
    expect(checkCondition(wrong, LIMITS)).toMatchObject({ reason: expect.stringMatching('levels') });
  });

  it('may be empty', () => {
    expect(codeOf({}, { maxBytes: 2, maxDepth: 1 })).toBe('ok');
    expect(codeOf(null, { maxBytes: 1, maxDepth: 1 })).toBe('ok');
    expect(parseCondition({})).toEqual({ ok: true, condition: true });
    expect(parseCondition(null)).toEqual({ ok: true, condition: true });
  });
});

describe('the form of a condition', () => {
  const variable = { path: ['resource', 'labels', 'team'] };
  it.each([
    ['a pair', [{ var: 'resource.labels.team' }, 'hr']],
    ['left and right', { left: { var: 'resource.labels.team' }, right: 'hr' }],
    ['field and value', { field: 'resource.labels.team', value: 'hr' }],
  ])('may give its operands as %s', (_name, operands) => {
    const condition = { op: 'ne', left: variable, right: { literal: 'hr' } };
    expect(parseCondition({ ne: operands })).toEqual({ ok: true, condition });
  });

  it('may have literals and empty objects inside', () => {
    const condition = { op: 'all', of: [true, false, true, { op: 'any', of: [] }] };
    expect(parseCondition({ all: [{}, false, null, { any: [] }] })).toEqual({ ok: true, condition });
  });

  const value = { var: 'request.time' };
  it.each<[string, unknown]>([
    ['must be an object', true],
    ['condition must be an object with one operator', [EQ]],
    ['condition must be an object with one operator', 'eq'],
    ['condition.all must be a list of conditions', { all: {} }],
    ['condition.all[1] must be an object with one operator', { all: [true, 3] }],
    ['condition.not must be an object with one operator', { not: [true] }],
    ['condition.EQ is no operator', { EQ: [1, 1] }],
    ['condition.__proto__ is no operator', JSON.parse('{"__proto__": [1, 1]}')],
    ['must have two operands', { eq: 5 }],
    ['must have two operands', { eq: [1] }],
    ['must have two operands', { eq: [1, 2, 3] }],
    ['must have two operands', { eq: { left: 1 } }],
    ['must have two operands', { eq: { left: 1, right: 2, value: 3 } }],
    ['must have two operands', { eq: { field: 'request.ip', right: 2 } }],
    ['must name a variable', { eq: { field: 5, value: 2 } }],
    ['must name a variable', { eq: [{ var: 'user.id' }, 1] }],
    ['must name a variable', { eq: [{ var: 'resource..id' }, 1] }],
    ['must name a variable', { eq: [{ var: '' }, 1] }],
    ['must name a variable', { eq: [{ var: ['resource'] }, 1] }],
    ['{"var"} only as a whole operand', { in: [1, [{ var: 'resource.id' }]] }],
    ['{"var"} only as a whole operand', { eq: [1, { var: 'resource.id', default: 1 }] }],
    ['NUL characters', { eq: ['a\0', 1] }],
    ['lone surrogates', { eq: [{ a: ['\ud800'] }, 1] }],
    ['lone surrogates', { eq: [{ '\udc00': 1 }, 1] }],
    ['must name a variable', { eq: [{ var: 'resource.labels.a\0' }, 1] }],
    ['JSON values', { eq: [Infinity, 1] }],
    ['compare with an object', { time_between: [value, '09:00'] }],
    ['a window of nothing but start, end', { date_between: [value, { var: 'resource.metadata.window' }] }],
    ['compare with an object', { date_between: [value, []] }],
    ['start must be a time', { time_between: [value, { start: '9:00', end: '18:00' }] }],
    ['start must be a time', { time_between: [value, { start: { var: 'request.time' }, end: '18:00' }] }],
    ['end must be a time', { time_between: [value, { start: '09:00', end: '24:00' }] }],
    ['end must be a time', { time_between: [value, { start: '09:00' }] }],
    ['end must be a time', { time_between: [value, { start: '09:00', end: '2026-02-01' }] }],
    ['must be a time', { time_between: ['noon', { start: '09:00', end: '18:00' }] }],
    ['nothing but start, end, tz', { time_between: [value, { start: '09:00', end: '18:00', zone: 'UTC' }] }],
    ['IANA time zone', { time_between: [value, { start: '09:00', end: '18:00', tz: 'Mars/Olympus' }] }],
    ['IANA time zone', { time_between: [value, { start: '09:00', end: '18:00', tz: '+02:00' }] }],
    ['IANA time zone', { time_between: [value, { start: '09:00', end: '18:00', tz: null }] }],
    ['start must be an ISO date', { date_between: [value, { start: '2026-02-30', end: '2026-03-01' }] }],
    ['end must be an ISO date', { date_between: [value, { start: '2026-02-01', end: '10:00' }] }],
    ['nothing but start, end', { date_between: [value, { start: '2026-02-01', end: '2026-02-02', tz: 'UTC' }] }],
  ])('%s', (reason, json) => expect(reasonOf(json)).toContain(reason));
});
