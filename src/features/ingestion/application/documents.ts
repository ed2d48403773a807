import { Injectable } from '@nestjs/common';
import { Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { DocumentDetails } from '../domain/document.js';
import { DocumentsRepository, type ListedDocument } from '../persistence/documents.repository.js';
import { factsOf } from './document-facts.js';
import { PermittedDocuments } from './permitted-documents.js';

/** What readers see. */
@Injectable()
export class Documents {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly documents: DocumentsRepository,
    private readonly permitted: PermittedDocuments,
  ) {}

  /**
   * Oldest first; of one corpus when one is named. A corpus that does not exist has no documents, and neither does one
   * of which whoever asks may read none. Only the last page is not full.
   */
  async list(filter: { corpusId?: string }, limit: number, cursor?: string): Promise<Page<DocumentDetails>> {
    const rules = await this.permitted.rules();
    const found: ListedDocument[] = [];
    for (let after = cursor; ;) {
      const { page, exact } = await this.uow.read(() => this.documents.list(rules, filter, limit, after));
      if (exact) return page;
      found.push(...page.items.filter((document) => rules.decide('read', factsOf(document)).allowed));
      if (found.length > limit || page.nextCursor === null) return Page.of(found, limit, positionOf);
      after = page.nextCursor;
    }
  }

  /** @throws NOT_FOUND, also for another tenant's document; AUTHZ_DENIED. */
  async get(id: string): Promise<DocumentDetails> {
    const rules = await this.permitted.rules();
    return this.uow.read(() => this.permitted.find(rules, 'read', id));
  }
}

function positionOf({ position, id }: ListedDocument): readonly string[] {
  return [position, id];
}
