import type { Ids } from '../../../kernel/ids.js';
import type { JsonObject } from './attributes.js';
import { ACTIONS, EVALUATED, RESOURCE_TYPES, type Action, type ResourceType } from './scope.js';

/** What somebody decides about a policy. */
export interface PolicyDraft {
  readonly name: string;
  readonly effect: 'allow' | 'deny';
  readonly resourceType: ResourceType;
  readonly action: Action;
  readonly condition: JsonObject;
  readonly priority: number;
  readonly enabled: boolean;
}

export interface StoredPolicy extends PolicyDraft {
  readonly id: string;
  /** Null for a template, which applies to every tenant. */
  readonly tenantId: string | null;
  /** Counts changes, but for switching on and off. */
  readonly version: number;
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A policy as it was after one change. */
export interface PolicyVersion {
  readonly version: number;
  /** In the names of the API. */
  readonly snapshot: Readonly<Record<string, unknown>>;
  readonly changedBy: string | null;
  readonly changedAt: Date;
}

/** 32 hexadecimal digits. */
export function newPolicyId(ids: Ids): string {
  return ids.opaque().replaceAll('-', '');
}

/** What new tenants start with: everything that a grant gives, and every question. */
export const BASELINE: readonly PolicyDraft[] = [
  baseline('baseline-allow-documents', 'document', '*'),
  baseline('baseline-allow-run', 'corpus', 'run'),
];

function baseline(name: string, resourceType: ResourceType, action: Action): PolicyDraft {
  return { name, effect: 'allow', resourceType, action, condition: {}, priority: 10, enabled: true };
}

/** The scope that a policy names, if one can have it; otherwise why it cannot. */
export function scopeOf(
  resourceType: string,
  action: string,
  allowWildcards: boolean,
): { readonly resourceType: ResourceType; readonly action: Action } | { readonly fault: string } {
  if (!isOneOf(RESOURCE_TYPES, resourceType))
    return { fault: `resource_type must be one of ${RESOURCE_TYPES.join(', ')}.` };
  if (!isOneOf(ACTIONS, action)) return { fault: `action must be one of ${ACTIONS.join(', ')}.` };
  if (resourceType === '*' && action === '*' && !allowWildcards) {
    return { fault: 'Policies for every action on everything are switched off here: narrow resource_type or action.' };
  }
  const isAsked = EVALUATED.some(
    (asked) => [asked.resourceType, '*'].includes(resourceType) && [asked.action, '*'].includes(action),
  );
  if (isAsked) return { resourceType, action };
  return { fault: `Nothing ever asks for ${resourceType}:${action}; what is asked for is ${ASKED}.` };
}

export const ASKED = EVALUATED.map(({ resourceType, action }) => `${resourceType}:${action}`).join(', ');

function isOneOf<T extends string>(values: readonly T[], value: string): value is T {
  return (values as readonly string[]).includes(value);
}
