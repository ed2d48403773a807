import { Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import type { Principal, Role } from '../../../kernel/principal.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Holder, Permission } from '../domain/grants.js';

/** Who may do what with a document. */
@Injectable()
export class DocumentGrants {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly ids: Ids,
  ) {}

  /** Makes the creator the owner, in the transaction that creates the document. Granting twice is one grant. */
  async grantOwner(documentId: string, creator: Pick<Principal, 'subjectId' | 'apiKeyId'>): Promise<void> {
    await this.#grant(documentId, { type: 'user', id: creator.subjectId }, 'owner', creator.apiKeyId);
  }

  /** Grants to everybody of a role, for the system, which owns nothing. In a transaction; twice is one grant. */
  async grantRole(documentId: string, role: Role, permission: Permission): Promise<void> {
    await this.#grant(documentId, { type: 'role', id: role }, permission, 'system');
  }

  async #grant(documentId: string, { type, id }: Holder, permission: Permission, grantedBy: string): Promise<void> {
    await this.uow.execute(
      `INSERT INTO document_permissions (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT ON CONSTRAINT uq_document_permissions DO NOTHING`,
      [this.uow.tenantId, this.ids.uuid(), documentId, type, id, permission, grantedBy],
    );
  }
}
