import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { DocumentDetails } from '../domain/document.js';
import { DocumentsRepository } from '../persistence/documents.repository.js';
import { DocumentWriter } from './document-writer.js';
import { noSuchDocument } from './permitted-documents.js';

/** Changes what policies are told of a document, and nothing that is searched: also while it is being ingested. */
@Injectable()
export class DocumentLabels {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly documents: DocumentsRepository,
    private readonly writer: DocumentWriter,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws NOT_FOUND; AUTHZ_DENIED under the labels of before or those given. */
  async replace(id: string, labels: DocumentDetails['labels']): Promise<DocumentDetails> {
    const rules = await this.writer.rules();
    return this.uow.run(async () => {
      const document = await this.writer.lock(id, rules);
      if (document === undefined) throw noSuchDocument();
      this.writer.permit(rules, document, { ...document, labels });
      await this.documents.replaceLabels(id, labels);
      await this.audit.record({
        event: 'documents.labels.replaced',
        outcome: 'success',
        resourceType: 'document',
        resourceId: id,
        metadata: { corpus_id: document.corpusId, label_keys: Object.keys(labels).sort() },
      });
      return { ...document, labels };
    });
  }
}
