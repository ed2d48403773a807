import { Injectable } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext } from '../../../kernel/context.js';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { isRole, ROLES } from '../../../kernel/principal.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Grant, StoredGrant } from '../domain/grants.js';
import { DocumentPermissionsRepository, type NewGrant } from '../persistence/document-permissions.repository.js';
import { rbacAbacErrors } from '../rbac-abac.errors.js';
import { Groups } from './groups.js';

export interface Granted {
  readonly grant: StoredGrant;
  /** False when it was there before. */
  readonly created: boolean;
}

/** What admins grant on documents, whoever owns them. */
@Injectable()
export class DocumentPermissions {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly permissions: DocumentPermissionsRepository,
    private readonly groups: Groups,
    private readonly audit: AuditTrail,
    private readonly ids: Ids,
  ) {}

  /** Expired ones, too. @throws NOT_FOUND, INVALID_CURSOR */
  async list(documentId: string, limit: number, cursor?: string): Promise<Page<StoredGrant>> {
    return this.uow.read(() => this.permissions.list(documentId, limit, cursor));
  }

  /** @throws as `grantAll` does. */
  async grant(documentId: string, given: Grant): Promise<StoredGrant> {
    const [only] = await this.grantAll(documentId, [given]);
    return (only as Granted).grant;
  }

  /**
   * Grants all of it or nothing; what is granted already gets the expiry that is given now. A user or key need not
   * exist yet; a group is named by its id or its display name.
   *
   * @returns the permissions in the order of the grants. @throws NOT_FOUND; VALIDATION_ERROR for a role or a group that
   * there is not, and for the same permission twice.
   */
  async grantAll(documentId: string, given: readonly Grant[]): Promise<Granted[]> {
    const grantedBy = currentContext().principal?.apiKeyId ?? 'system';
    const known = new Map<string, string>();
    const grants: NewGrant[] = [];
    for (const grant of given) grants.push({ ...(await this.#resolved(grant, known)), id: this.ids.uuid(), grantedBy });
    refuseRepeated(grants);
    return this.uow.run(async () => {
      const written = await this.permissions.upsert(documentId, grants);
      const stored = await this.permissions.stored(documentId, grants);
      const changed = stored.filter(({ id }) => written.has(id));
      if (changed.length > 0) await this.audit.record(...changed.map((grant) => entry('granted', grant)));
      const fresh = new Set(grants.map(({ id }) => id));
      return stored.map((grant) => ({ grant, created: fresh.has(grant.id) }));
    });
  }

  /** @returns what was granted. @throws NOT_FOUND; AUTHZ_PERMISSION_NOT_FOUND, also for that of another document. */
  async revoke(documentId: string, id: string): Promise<StoredGrant> {
    return this.uow.run(async () => {
      const grant = await this.permissions.delete(documentId, id);
      if (grant === undefined) throw rbacAbacErrors.AUTHZ_PERMISSION_NOT_FOUND();
      await this.audit.record(entry('revoked', grant));
      return grant;
    });
  }

  async #resolved(grant: Grant, known: Map<string, string>): Promise<Grant> {
    const { principalType, principalId } = grant;
    if (principalType === 'role' && !isRole(principalId)) {
      throw commonErrors.VALIDATION_ERROR({ message: `principal_id of a role must be one of ${ROLES.join(', ')}.` });
    }
    if (principalType !== 'group') return grant;
    const groupId = known.get(principalId) ?? (await this.#groupId(principalId));
    known.set(principalId, groupId);
    return { ...grant, principalId: groupId };
  }

  async #groupId(idOrName: string): Promise<string> {
    const found = await this.groups.named(idOrName);
    const group = found.find(({ id }) => id === idOrName) ?? (found.length === 1 ? found[0] : undefined);
    if (group !== undefined) return group.id;
    throw commonErrors.VALIDATION_ERROR(
      found.length === 0
        ? { message: 'principal_id names no group of the tenant.' }
        : { message: 'Several groups have this name. Use the id.', details: { group_ids: found.map(({ id }) => id) } },
    );
  }
}

function refuseRepeated(grants: readonly Grant[]): void {
  const keys = grants.map((grant) => JSON.stringify([grant.principalType, grant.principalId, grant.permission]));
  const repeated = keys.findIndex((key, index) => keys.indexOf(key) < index);
  if (repeated === -1) return;
  throw commonErrors.VALIDATION_ERROR({ message: `permissions.${repeated} repeats an earlier one.` });
}

function entry(event: 'granted' | 'revoked', grant: StoredGrant): AuditEntry {
  const { id, documentId, principalType, principalId, permission, expiresAt } = grant;
  return {
    event: `authz.permission.${event}`,
    outcome: 'success',
    resourceType: 'document_permission',
    resourceId: id,
    metadata: {
      document_id: documentId,
      principal_type: principalType,
      principal_id: principalId,
      permission,
      expires_at: expiresAt?.toISOString() ?? null,
    },
  };
}
