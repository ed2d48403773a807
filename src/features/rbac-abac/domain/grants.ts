import type { Principal } from '../../../kernel/principal.js';
import type { DocumentAction } from './scope.js';

export const PERMISSIONS = ['read', 'write', 'delete', 'reindex', 'owner'] as const;
export type Permission = (typeof PERMISSIONS)[number];
export const PRINCIPAL_TYPES = ['user', 'role', 'group', 'api_key'] as const;
export type PrincipalType = (typeof PRINCIPAL_TYPES)[number];

/** The grants that give an action. */
export const GIVEN_BY: Readonly<Record<DocumentAction, readonly Permission[]>> = {
  read: ['read', 'write', 'delete', 'reindex', 'owner'],
  write: ['write', 'delete', 'owner'],
  delete: ['delete', 'owner'],
  reindex: ['reindex', 'owner'],
};

/** Somebody's permission for a document, as it is given. */
export interface Grant {
  readonly principalType: PrincipalType;
  /** Of a group its id. */
  readonly principalId: string;
  readonly permission: Permission;
  /** Null: for good. */
  readonly expiresAt: Date | null;
}

export interface StoredGrant extends Grant {
  readonly id: string;
  readonly tenantId: string;
  readonly documentId: string;
  readonly grantedBy: string;
  readonly createdAt: Date;
}

export interface Holder {
  readonly type: PrincipalType;
  readonly id: string;
}

/** Who asks; null where that is not known, as of whoever has a role or is in a group. */
export type Asker = { readonly [K in 'subjectId' | 'role' | 'apiKeyId' | 'authMethod']: Principal[K] | null };

/** Whom a grant may name to mean who asks. Groups by id: names change. */
export function holdersOf(
  { subjectId, role, apiKeyId, authMethod }: Asker,
  groupIds: readonly string[],
): readonly Holder[] {
  const holders: readonly { readonly type: PrincipalType; readonly id: string | null }[] = [
    { type: 'user', id: subjectId },
    { type: 'role', id: role },
    { type: 'api_key', id: authMethod === 'api_key' ? apiKeyId : null },
    ...groupIds.map((id) => ({ type: 'group', id }) as const),
  ];
  return holders.filter((holder): holder is Holder => holder.id !== null);
}
