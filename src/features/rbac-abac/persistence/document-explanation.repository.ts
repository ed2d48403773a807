import { Injectable } from '@nestjs/common';
import { SqlParameters, UnitOfWork } from '../../../platform/db/index.js';
import type { DocumentFacts, DocumentRules } from '../domain/document-rules.js';
import type { StoredGrant } from '../domain/grants.js';
import type { DocumentAction } from '../domain/scope.js';
import { documentFacts } from './document-facts.js';
import { GRANT_COLUMNS } from './document-permissions.repository.js';

/** Grants that one explanation lists. */
const MOST = 200;

/** What a decision on a document was made of. */
@Injectable()
export class DocumentExplanationRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async facts(id: string, rules: DocumentRules, action: DocumentAction): Promise<DocumentFacts | undefined> {
    const parameters = new SqlParameters();
    const [tenant, document] = [parameters.add(this.uow.tenantId), parameters.add(id)];
    return this.uow.first<DocumentFacts & object>(
      `SELECT ${documentFacts(rules, action, 'd', parameters)}
         FROM documents d WHERE d.tenant_id = ${tenant} AND d.id = ${document}`,
      parameters.values,
    );
  }

  /** Grants on the document that name one of the holders, whatever they give and whether or not they have expired. */
  async grantsTo({ holders }: DocumentRules, documentId: string): Promise<StoredGrant[]> {
    return this.uow.rows<StoredGrant>(
      `SELECT ${GRANT_COLUMNS} FROM document_permissions
        WHERE tenant_id = $1 AND document_id = $2
          AND (principal_type, principal_id) IN (SELECT * FROM unnest($3::text[], $4::text[]))
        ORDER BY principal_type, principal_id, permission LIMIT ${MOST}`,
      [this.uow.tenantId, documentId, holders.map(({ type }) => type), holders.map(({ id }) => id)],
    );
  }
}
