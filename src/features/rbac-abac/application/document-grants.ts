import { Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import type { Principal } from '../../../kernel/principal.js';
import { UnitOfWork } from '../../../platform/db/index.js';

/** Who may do what with a document. */
@Injectable()
export class DocumentGrants {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly ids: Ids,
  ) {}

  /** Makes the creator the owner, in the transaction that creates the document. Granting twice is one grant. */
  async grantOwner(documentId: string, creator: Pick<Principal, 'subjectId' | 'apiKeyId'>): Promise<void> {
    await this.uow.execute(
      `INSERT INTO document_permissions (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       VALUES ($1, $2, $3, 'user', $4, 'owner', $5)
       ON CONFLICT ON CONSTRAINT uq_document_permissions DO NOTHING`,
      [this.uow.tenantId, this.ids.uuid(), documentId, creator.subjectId, creator.apiKeyId],
    );
  }
}
