import type { Asking, Attributes, JsonObject } from './attributes.js';
import { parseCondition, type Condition } from './condition.js';
import type { Decision, TraceEntry } from './decision.js';
import { evaluate } from './evaluate.js';
import { allOf, anyOf, not, reduce } from './partial-evaluation.js';
import type { Action, ResourceType, Scope } from './scope.js';

/** A policy as it is stored; its condition may be from before a rule, and invalid. */
export interface Policy {
  readonly id: string;
  readonly effect: 'allow' | 'deny';
  readonly resourceType: ResourceType;
  readonly action: Action;
  readonly condition: JsonObject;
  readonly priority: number;
}

interface Rule {
  readonly policy: Policy;
  /** Undefined for a policy that is invalid. */
  readonly condition: Condition | undefined;
  readonly fault: string | undefined;
}

/** The enabled policies of one tenant, read once and asked often. */
export class PolicySet {
  /** In the order in which they are asked. The first that matches or is invalid decides. */
  readonly #rules: readonly Rule[];
  /** By scope; there are no more scopes than pairs of a resource type and an action. */
  readonly #inScope = new Map<string, readonly Rule[]>();

  private constructor(policies: readonly Policy[]) {
    this.#rules = policies.map(ruleOf).sort((a, b) => inOrder(a.policy, b.policy));
  }

  static of(policies: readonly Policy[]): PolicySet {
    return new PolicySet(policies);
  }

  /** Policies that refuse whatever they are asked about. */
  get invalid(): number {
    return this.#rules.filter(({ fault }) => fault !== undefined).length;
  }

  /** Policies for every action on every resource type. */
  get wildcards(): number {
    return this.#rules.filter(({ policy }) => policy.resourceType === '*' && policy.action === '*').length;
  }

  /** Deny first, then allow, each by priority and id; without a match the default. */
  decide(scope: Scope, attributes: Attributes, defaultDeny: boolean): Decision {
    const rules = this.#rulesFor(scope);
    const at = rules.findIndex(({ condition }) => condition === undefined || evaluate(condition, attributes));
    const rule = rules[at];
    if (rule === undefined) return decided(rules, at, !defaultDeny, defaultDeny ? 'default_deny' : 'default_allow');
    if (rule.condition === undefined) return decided(rules, at, false, 'policy_invalid');
    const isAllow = rule.policy.effect === 'allow';
    return decided(rules, at, isAllow, isAllow ? 'policy_allow' : 'policy_deny');
  }

  /** `decide` as a condition over the resource alone, once it is known who asks. */
  residue(scope: Scope, asking: Asking, defaultDeny: boolean): Condition {
    const denials: Condition[] = [];
    const allowances: Condition[] = [];
    let otherwise = !defaultDeny;
    for (const { policy, condition } of this.#rulesFor(scope)) {
      const left = condition === undefined ? undefined : reduce(condition, asking);
      if (policy.effect === 'deny') {
        if (left === undefined || left === true) return false;
        denials.push(left);
        continue;
      }
      // Nothing gets past an invalid policy, not even to the default.
      if (left === undefined) otherwise = false;
      else allowances.push(left);
      if (left === undefined || left === true) break;
    }
    return allOf([not(anyOf(denials)), anyOf([...allowances, otherwise])]);
  }

  #rulesFor({ resourceType, action }: Scope): readonly Rule[] {
    const key = `${resourceType} ${action}`;
    const known = this.#inScope.get(key);
    if (known !== undefined) return known;
    const rules = this.#rules.filter(
      ({ policy }) =>
        (policy.resourceType === '*' || policy.resourceType === resourceType) &&
        (policy.action === '*' || policy.action === action),
    );
    this.#inScope.set(key, rules);
    return rules;
  }
}

function ruleOf(policy: Policy): Rule {
  const parsed = parseCondition(policy.condition);
  return parsed.ok
    ? { policy, condition: parsed.condition, fault: undefined }
    : { policy, condition: undefined, fault: parsed.reason };
}

function inOrder(a: Policy, b: Policy): number {
  if (a.effect !== b.effect) return a.effect === 'deny' ? -1 : 1;
  if (a.priority !== b.priority) return b.priority - a.priority;
  return a.id < b.id ? -1 : 1;
}

/** The decision at one of the rules, or after all of them when `at` is -1. The trace is only made when it is read. */
function decided(rules: readonly Rule[], at: number, allowed: boolean, reason: Decision['reason']): Decision {
  return {
    allowed,
    reason,
    matchedPolicyId: rules[at]?.policy.id ?? null,
    get trace() {
      return rules.slice(0, at === -1 ? undefined : at + 1).map((rule, index) => traceOf(rule, index === at));
    },
  };
}

function traceOf({ policy, fault }: Rule, isLast: boolean): TraceEntry {
  const entry = { policyId: policy.id, effect: policy.effect };
  return fault === undefined ? { ...entry, matched: isLast } : { ...entry, matched: false, error: fault };
}
