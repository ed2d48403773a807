/** What a policy may name. Only the pairs of `EVALUATED` are ever asked for. */
export const RESOURCE_TYPES = ['document', 'corpus', 'run', 'admin', 'ops', 'audit', '*'] as const;
export const ACTIONS = ['read', 'write', 'delete', 'reindex', 'run', 'manage', '*'] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];
export type Action = (typeof ACTIONS)[number];

export const DOCUMENT_ACTIONS = ['read', 'write', 'delete', 'reindex'] as const;
export type DocumentAction = (typeof DOCUMENT_ACTIONS)[number];

/** One question to the policies: may this be done with that kind of resource? */
export interface Scope {
  readonly resourceType: Exclude<ResourceType, '*'>;
  readonly action: Exclude<Action, '*'>;
}

/** Every question that the product asks; a policy that matches none of them would be useless, and is refused. */
export const EVALUATED: readonly Scope[] = [
  ...DOCUMENT_ACTIONS.map((action) => ({ resourceType: 'document', action }) as const),
  { resourceType: 'corpus', action: 'run' },
];
