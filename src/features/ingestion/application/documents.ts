import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { DocumentDetails } from '../domain/document.js';
import { DocumentsRepository } from '../persistence/documents.repository.js';

/** What readers see. */
@Injectable()
export class Documents {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly documents: DocumentsRepository,
  ) {}

  /** Oldest first; of one corpus when one is named. A corpus that does not exist has no documents. */
  async list(filter: { corpusId?: string }, limit: number, cursor?: string): Promise<Page<DocumentDetails>> {
    return this.uow.read(() => this.documents.list(filter, limit, cursor));
  }

  /** @throws NOT_FOUND, also for another tenant's document. */
  async get(id: string): Promise<DocumentDetails> {
    const document = await this.uow.read(() => this.documents.find(id));
    if (document === undefined) throw noSuchDocument();
    return document;
  }
}

export function noSuchDocument(): Error {
  return commonErrors.NOT_FOUND({ message: 'No such document.' });
}
