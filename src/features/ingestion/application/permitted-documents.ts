import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { Soon } from '../../../kernel/soon.js';
import { DocumentAccess, type DocumentAction, type DocumentRules } from '../../rbac-abac/index.js';
import type { DocumentDetails } from '../domain/document.js';
import { DocumentsRepository } from '../persistence/documents.repository.js';
import { factsOf } from './document-facts.js';

/** Documents as whoever acts may have them: stages 15 and 16. Writing them is the DocumentWriter's. */
@Injectable()
export class PermittedDocuments {
  constructor(
    private readonly documents: DocumentsRepository,
    private readonly access: DocumentAccess,
  ) {}

  /** What decides for whoever acts. Before the unit of work in which it decides. @throws Error for the system. */
  rules(): Soon<DocumentRules> {
    return this.access.rules();
  }

  /** @throws NOT_FOUND, also for another tenant's document; AUTHZ_DENIED. */
  async find(rules: DocumentRules, action: DocumentAction, id: string): Promise<DocumentDetails> {
    const document = await this.documents.find(id, { rules, action });
    if (document === undefined) throw noSuchDocument();
    this.access.require(rules, action, factsOf(document));
    return document;
  }

  /** As `find`; nobody else changes the document until the transaction ends. */
  async lock(rules: DocumentRules, action: DocumentAction, id: string): Promise<DocumentDetails> {
    if (!(await this.documents.lock(id))) throw noSuchDocument();
    return this.find(rules, action, id);
  }
}

export function noSuchDocument(): Error {
  return commonErrors.NOT_FOUND({ message: 'No such document.' });
}
