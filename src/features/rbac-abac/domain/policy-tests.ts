import type { Attributes } from './attributes.js';
import type { Reason } from './decision.js';
import { PolicySet, type Policy } from './policy-set.js';
import type { Scope } from './scope.js';

/** What a tenant expects of its policies, without an installation: who may do what with which resource. */
export interface PolicyTests {
  readonly defaultDeny: boolean;
  /** Those that are switched on. Their ids are their names. */
  readonly policies: readonly Policy[];
  readonly cases: readonly PolicyCase[];
}

/** One question and the expected answer. */
export interface PolicyCase {
  readonly test: string;
  readonly principal: string;
  readonly resource: string;
  readonly scope: Scope;
  readonly attributes: Attributes;
  readonly expected: Expectation;
}

export interface Expectation {
  readonly effect: 'allow' | 'deny';
  /** Name of the policy that decides, where that matters. */
  readonly policy?: string | undefined;
  readonly reason?: Reason | undefined;
}

export interface PolicyOutcome {
  readonly of: PolicyCase;
  readonly passed: boolean;
  readonly effect: 'allow' | 'deny';
  readonly reason: Reason;
  readonly policy: string | null;
}

/** Asks the policies as a request would. Grants are not asked: they are no policies. */
export function runPolicyTests({ policies, cases, defaultDeny }: PolicyTests): PolicyOutcome[] {
  const set = PolicySet.of(policies);
  return cases.map((of) => {
    const { scope, attributes, expected } = of;
    const { allowed, reason, matchedPolicyId: policy } = set.decide(scope, attributes, defaultDeny);
    const effect = allowed ? 'allow' : 'deny';
    const passed =
      effect === expected.effect &&
      (expected.policy === undefined || expected.policy === policy) &&
      (expected.reason === undefined || expected.reason === reason);
    return { of, passed, effect, reason, policy };
  });
}
