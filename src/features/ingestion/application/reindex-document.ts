import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Corpora } from '../../corpora/index.js';
import type { DocumentRules } from '../../rbac-abac/index.js';
import { VectorDbAccess } from '../../vector-dbs/index.js';
import type { Document } from '../domain/document.js';
import { canRequeue } from '../domain/document-status.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { DocumentsRepository } from '../persistence/documents.repository.js';
import type { Accepted } from './accept-document.js';
import { IngestAdmission, type Route } from './ingest-admission.js';
import { IngestDispatch, type Dispatch } from './ingest-dispatch.js';
import { PermittedDocuments } from './permitted-documents.js';
import { Submissions, type Reindexing, type ReindexRequest } from './submissions.js';

/** Chunks and embeds the stored text of a document again. What was found before stays found until it is done. */
@Injectable()
export class ReindexDocument {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly corpora: Corpora,
    private readonly access: VectorDbAccess,
    private readonly documents: DocumentsRepository,
    private readonly permitted: PermittedDocuments,
    private readonly submissions: Submissions,
    private readonly admission: IngestAdmission,
    private readonly dispatch: IngestDispatch,
  ) {}

  /**
   * @throws NOT_FOUND, AUTHZ_DENIED, INGEST_IN_PROGRESS, INGEST_SOURCE_MISSING, INGEST_VALIDATION_ERROR, SERVICE_BUSY,
   * QUEUE_ERROR, and what residency and the gate of a governed corpus throw
   */
  async reindex(id: string, request: ReindexRequest): Promise<Accepted> {
    return this.admission.within(async () => {
      const rules = await this.permitted.rules();
      const { seen, corpus } = await this.uow.read(async () => {
        const document = requeueable(await this.permitted.find(rules, 'reindex', id));
        return { seen: document, corpus: await this.corpora.require(document.corpusId) };
      });
      await this.access.require(corpus, 'reindex');
      const reindexing = this.submissions.ofReindex(seen.chunkParams, request);
      const route = await this.admission.route(seen.corpusId);
      const dispatch = await this.uow.run(() => this.#requeue(rules, id, reindexing, route));
      await this.dispatch.settle(dispatch);
      const ended = route === 'inline' ? await this.uow.read(() => this.documents.find(id)) : undefined;
      return { documentId: id, status: ended?.status ?? 'queued', jobId: reindexing.jobId, scheduled: true };
    });
  }

  async #requeue(rules: DocumentRules, id: string, reindexing: Reindexing, route: Route): Promise<Dispatch> {
    const { corpusId, ingestSource } = requeueable(await this.permitted.lock(rules, 'reindex', id));
    const { jobId, chunkParams } = reindexing;
    const generation = await this.documents.requeue(id, reindexing);
    if (generation === undefined) throw ingestionErrors.INGEST_IN_PROGRESS();
    return this.dispatch.schedule({ id: jobId, documentId: id, generation, kind: 'reindex' }, route, {
      name: 'documents.reindex.enqueued',
      metadata: {
        corpus_id: corpusId,
        ingest_source: ingestSource,
        chunk_size_chars: chunkParams.size,
        chunk_overlap_chars: chunkParams.overlap,
      },
    });
  }
}

/** @throws INGEST_IN_PROGRESS, INGEST_SOURCE_MISSING */
function requeueable(document: Document): Document {
  if (!canRequeue(document.status)) throw ingestionErrors.INGEST_IN_PROGRESS();
  if (document.storageKey === null) throw ingestionErrors.INGEST_SOURCE_MISSING();
  return document;
}
