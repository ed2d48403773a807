import { Injectable } from '@nestjs/common';
import { CorpusContents } from '../../corpora/index.js';
import { DocumentsRepository } from '../persistence/documents.repository.js';
import { DeleteDocument } from './delete-document.js';

const BATCH = 200;

/** Empties a corpus that is being deleted, documents under ingestion included. */
@Injectable()
export class DocumentsOfCorpus extends CorpusContents {
  constructor(
    private readonly documents: DocumentsRepository,
    private readonly deletion: DeleteDocument,
  ) {
    super();
  }

  async removeAll(corpusId: string): Promise<void> {
    for (;;) {
      const batch = await this.documents.lockSome(corpusId, BATCH);
      if (batch.length === 0) return;
      await this.deletion.erase(batch.map((document) => ({ ...document, corpusId })));
    }
  }
}
