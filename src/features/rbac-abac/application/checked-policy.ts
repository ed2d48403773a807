import type { JsonObject } from '../domain/attributes.js';
import { checkCondition } from '../domain/condition-limits.js';
import type { Action, ResourceType } from '../domain/scope.js';
import { scopeOf, type PolicyDraft } from '../domain/stored-policy.js';
import { rbacAbacErrors } from '../rbac-abac.errors.js';
import type { RbacAbacSettings } from '../rbac-abac.settings.js';

/** A policy as somebody wrote it, before it is checked. */
export interface GivenDraft extends Omit<PolicyDraft, 'resourceType' | 'action' | 'condition'> {
  readonly resourceType: string;
  readonly action: string;
  /** Null: in every case. */
  readonly condition: JsonObject | null;
}

/** As the API and the trail call them. */
export const FIELD_NAMES = {
  name: 'name',
  effect: 'effect',
  resourceType: 'resource_type',
  action: 'action',
  condition: 'condition_json',
  priority: 'priority',
  enabled: 'enabled',
} as const satisfies Record<keyof GivenDraft, string>;

/** @throws AUTHZ_POLICY_INVALID for what nothing ever asks for, and for a wildcard that is not allowed. */
export function checkedScope(
  { resourceType, action }: Pick<GivenDraft, 'resourceType' | 'action'>,
  { allowWildcards }: RbacAbacSettings,
): { readonly resourceType: ResourceType; readonly action: Action } {
  const scope = scopeOf(resourceType, action, allowWildcards);
  if ('fault' in scope) throw rbacAbacErrors.AUTHZ_POLICY_INVALID({ message: scope.fault });
  return scope;
}

/** @throws AUTHZ_POLICY_TOO_COMPLEX, AUTHZ_POLICY_INVALID */
export function checkedCondition(
  given: JsonObject | null,
  { maxPolicyBytes, maxPolicyDepth }: RbacAbacSettings,
): JsonObject {
  const condition = given ?? {};
  const checked = checkCondition(condition, { maxBytes: maxPolicyBytes, maxDepth: maxPolicyDepth });
  if (!checked.ok) throw rbacAbacErrors[checked.code]({ message: checked.reason });
  return condition;
}
