import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ChunkIndex } from '../../retrieval/index.js';
import { canDelete } from '../domain/document-status.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { DocumentsRepository } from '../persistence/documents.repository.js';
import { PermittedDocuments } from './permitted-documents.js';
import { SourceTexts } from './source-texts.js';

interface Doomed {
  readonly documentId: string;
  readonly corpusId: string;
  readonly key: string | null;
}

@Injectable()
export class DeleteDocument {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly documents: DocumentsRepository,
    private readonly permitted: PermittedDocuments,
    private readonly index: ChunkIndex,
    private readonly sources: SourceTexts,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws NOT_FOUND, AUTHZ_DENIED, INGEST_IN_PROGRESS */
  async delete(id: string): Promise<void> {
    const rules = await this.permitted.rules();
    await this.uow.run(async () => {
      const document = await this.permitted.lock(rules, 'delete', id);
      if (!canDelete(document.status)) throw ingestionErrors.INGEST_IN_PROGRESS();
      await this.erase([{ documentId: id, corpusId: document.corpusId, key: document.storageKey }]);
    });
  }

  /** Deletes locked documents in any state, in the current transaction. Work under way for them finds them gone. */
  async erase(doomed: readonly Doomed[]): Promise<void> {
    const ids = doomed.map(({ documentId }) => documentId);
    await this.index.remove(ids);
    await this.documents.delete(ids);
    await this.sources.discard(doomed.flatMap(({ documentId, key }) => (key === null ? [] : [{ documentId, key }])));
    for (const { documentId, corpusId, key } of doomed) {
      await this.audit.record({
        event: 'documents.deleted',
        outcome: 'success',
        resourceType: 'document',
        resourceId: documentId,
        metadata: { corpus_id: corpusId, had_storage: key !== null },
      });
    }
  }
}
