import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from './attributes.js';
import { PolicySet, type Policy } from './policy-set.js';

const READ = { resourceType: 'document', action: 'read' } as const;
const HIGH: JsonObject = { eq: [{ var: 'resource.labels.level' }, 'high'] };
const EDITOR: JsonObject = { eq: [{ var: 'principal.role' }, 'editor'] };
const ASKING = { principal: { role: 'editor' }, request: { time: '2026-01-01T00:00:00Z' } };

function policy(id: string, effect: 'allow' | 'deny', given: Partial<Policy> = {}): Policy {
  return { id, effect, resourceType: 'document', action: '*', condition: {}, priority: 100, ...given };
}
function decide(policies: readonly Policy[], { level = 'low', defaultDeny = true, scope = READ } = {}) {
  return PolicySet.of(policies).decide(scope, { ...ASKING, resource: { labels: { level } } }, defaultDeny);
}

describe('a decision', () => {
  it('is a denial when any deny matches, however important the allows are', () => {
    const policies = [policy('a', 'allow', { priority: 200 }), policy('d', 'deny', { priority: 10, condition: HIGH })];
    expect(decide(policies, { level: 'high' })).toMatchObject({
      allowed: false,
      reason: 'policy_deny',
      matchedPolicyId: 'd',
      trace: [{ policyId: 'd', effect: 'deny', matched: true }],
    });
    expect(decide(policies)).toMatchObject({
      allowed: true,
      reason: 'policy_allow',
      matchedPolicyId: 'a',
      trace: [
        { policyId: 'd', effect: 'deny', matched: false },
        { policyId: 'a', effect: 'allow', matched: true },
      ],
    });
  });

  it.each(['allow', 'deny'] as const)('names the %s of the highest priority, then of the lowest id', (effect) => {
    const policies = [
      policy('c', effect, { priority: -5 }),
      policy('z', effect, { priority: 7 }),
      policy('b', effect, { priority: 7 }),
      policy('a', effect, { priority: 9, condition: HIGH }),
    ];
    expect(decide(policies).matchedPolicyId).toBe('b');
    expect(decide([...policies].reverse()).matchedPolicyId).toBe('b');
    expect(decide(policies, { level: 'high' }).matchedPolicyId).toBe('a');
  });

  it('is the default when nothing matches', () => {
    const policies = [policy('a', 'allow', { condition: HIGH })];
    const trace = [{ policyId: 'a', effect: 'allow', matched: false }];
    expect(decide(policies)).toMatchObject({ allowed: false, reason: 'default_deny', matchedPolicyId: null, trace });
    expect(decide(policies, { defaultDeny: false })).toMatchObject({ allowed: true, reason: 'default_allow', trace });
    expect(decide([])).toMatchObject({ allowed: false, reason: 'default_deny', trace: [] });
  });

  it('asks only policies for the action and the resource', () => {
    const policies = [
      policy('a', 'deny', { action: 'write' }),
      policy('b', 'deny', { resourceType: 'corpus' }),
      policy('c', 'deny', { resourceType: 'run', action: 'run', condition: { eq: 5 } }),
      policy('d', 'allow', { resourceType: '*', action: 'read' }),
    ];
    expect(decide(policies)).toMatchObject({ allowed: true, trace: [{ policyId: 'd' }] });
    expect(
      PolicySet.of(policies).decide({ resourceType: 'corpus', action: 'run' }, { ...ASKING, resource: {} }, true),
    ).toMatchObject({ matchedPolicyId: 'b' });
  });
});

describe('an invalid policy', () => {
  it('06 case AZ20: denies whatever reaches it, and is named', () => {
    const decision = decide([policy('x', 'deny', { condition: { eq: 5 } }), policy('a', 'allow')]);
    expect(decision).toMatchObject({ allowed: false, reason: 'policy_invalid', matchedPolicyId: 'x' });
    expect(decision.trace).toEqual([
      { policyId: 'x', effect: 'deny', matched: false, error: expect.stringContaining('two operands') },
    ]);
  });

  it('is invalid also where its fault would not be reached', () => {
    const condition = { any: [true, { matches: [1, 2] }] };
    expect(decide([policy('x', 'allow', { condition })]).reason).toBe('policy_invalid');
  });

  it('harms nothing that is decided before it, and no other action', () => {
    const invalid = { condition: { eq: 5 }, priority: 1 };
    expect(decide([policy('x', 'allow', invalid), policy('a', 'allow')]).reason).toBe('policy_allow');
    expect(decide([policy('x', 'deny', invalid), policy('d', 'deny')]).reason).toBe('policy_deny');
    expect(decide([policy('x', 'deny', { ...invalid, action: 'write' }), policy('a', 'allow')]).allowed).toBe(true);
    expect(decide([policy('x', 'allow', invalid)], { defaultDeny: false }).reason).toBe('policy_invalid');
  });
});

describe('what is left once it is known who asks', () => {
  const residue = (policies: readonly Policy[], defaultDeny = true) =>
    PolicySet.of(policies).residue(READ, ASKING, defaultDeny);
  const isHigh = { op: 'eq', left: { path: ['resource', 'labels', 'level'] }, right: { literal: 'high' } };

  it.each<[string, readonly Policy[], boolean, unknown]>([
    ['without policies, the default', [], true, false],
    ['without policies, the default', [], false, true],
    ['an allow for who asks', [policy('a', 'allow', { condition: EDITOR })], true, true],
    ['an allow for others', [policy('a', 'allow', { condition: { not: EDITOR } })], true, false],
    ['a deny for who asks', [policy('d', 'deny', { condition: EDITOR }), policy('a', 'allow')], true, false],
    [
      'what a deny leaves',
      [policy('d', 'deny', { condition: { all: [EDITOR, HIGH] } })],
      false,
      { op: 'not', of: isHigh },
    ],
    ['what an allow asks for', [policy('a', 'allow', { condition: { any: [{ not: EDITOR }, HIGH] } })], true, isHigh],
    [
      'nothing with an invalid deny',
      [policy('x', 'deny', { condition: { eq: 5 } }), policy('a', 'allow')],
      true,
      false,
    ],
    [
      'the allows before an invalid one',
      [
        policy('a', 'allow', { condition: HIGH }),
        policy('x', 'allow', { condition: { eq: 5 }, priority: 50 }),
        policy('b', 'allow', { priority: 1 }),
      ],
      false,
      isHigh,
    ],
  ])('is %s', (_name, policies, defaultDeny, expected) => expect(residue(policies, defaultDeny)).toEqual(expected));
});

it('counts what an operator should know of', () => {
  const policies = [
    policy('a', 'allow', { resourceType: '*' }),
    policy('b', 'deny', { action: 'read', condition: { eq: 5 } }),
    policy('c', 'deny', { resourceType: '*', action: 'read' }),
  ];
  expect(PolicySet.of(policies)).toMatchObject({ invalid: 1, wildcards: 1 });
});
