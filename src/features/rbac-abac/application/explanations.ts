import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Decision } from '../domain/decision.js';
import { GIVEN_BY, type PrincipalType, type StoredGrant } from '../domain/grants.js';
import type { DocumentAction } from '../domain/scope.js';
import { DocumentExplanationRepository } from '../persistence/document-explanation.repository.js';
import { DocumentAccess } from './document-access.js';
import { Somebodies } from './somebody.js';

export interface Explanation extends Decision {
  /** Grants on the document that name the principal, and whether each counts now for the action. */
  readonly grants: readonly (StoredGrant & { readonly counts: boolean })[];
}

/** What somebody may do with a document, and why: the same rules that would decide, put into words. */
@Injectable()
export class Explanations {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly principals: Somebodies,
    private readonly access: DocumentAccess,
    private readonly documents: DocumentExplanationRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws NOT_FOUND when there is no such principal or document. */
  async explain(type: PrincipalType, id: string, documentId: string, action: DocumentAction): Promise<Explanation> {
    const rules = await this.access.rulesOf(await this.principals.find(type, id));
    const [facts, found] = await this.uow.read(async () => [
      await this.documents.facts(documentId, rules, action),
      await this.documents.grantsTo(rules, documentId),
    ]);
    if (facts === undefined) throw commonErrors.NOT_FOUND({ message: 'No such document.' });
    const decision = rules.decide(action, facts);
    const { allowed, reason } = decision;
    this.audit.note({
      event: 'authz.access.explained',
      outcome: 'success',
      resourceType: 'document',
      resourceId: documentId,
      metadata: { principal_type: type, principal_id: id, action, allowed, reason },
    });
    const counts = ({ permission, expiresAt }: StoredGrant): boolean =>
      GIVEN_BY[action].includes(permission) && (expiresAt === null || expiresAt > rules.now);
    return { ...decision, grants: found.map((grant) => ({ ...grant, counts: counts(grant) })) };
  }
}
