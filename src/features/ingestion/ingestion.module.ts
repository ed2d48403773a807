import { Module } from '@nestjs/common';
import { AuditTrail } from '../../kernel/audit.js';
import { Ids } from '../../kernel/ids.js';
import { Log } from '../../kernel/log.js';
import { Settings } from '../../kernel/settings.js';
import { UnitOfWork } from '../../platform/db/index.js';
import { EmbeddingModel } from '../../platform/model-gateway/index.js';
import { CorporaModule } from '../corpora/index.js';
import { RbacAbacModule } from '../rbac-abac/index.js';
import { RetrievalModule } from '../retrieval/index.js';
import { AcceptDocument } from './application/accept-document.js';
import { DeleteDocument } from './application/delete-document.js';
import { DocumentChunks } from './application/document-chunks.js';
import { DocumentWriter } from './application/document-writer.js';
import { DocumentsOfCorpus } from './application/documents-of-corpus.js';
import { Documents } from './application/documents.js';
import { IngestAdmission } from './application/ingest-admission.js';
import { IngestDispatch } from './application/ingest-dispatch.js';
import { IngestReaper } from './application/ingest-reaper.js';
import { InlineIngestion } from './application/inline-ingestion.js';
import { QueueDepth } from './application/queue-depth.js';
import { ReindexDocument } from './application/reindex-document.js';
import { SourceTexts } from './application/source-texts.js';
import { Submissions } from './application/submissions.js';
import { DocumentsController } from './http/documents.controller.js';
import { ingestionSettings } from './ingestion.settings.js';
import { IngestHandler } from './jobs/ingest.handler.js';
import { SourceRemovalHandler } from './jobs/source-removal.handler.js';
import { DocumentsRepository } from './persistence/documents.repository.js';
import { IngestJobsRepository } from './persistence/ingest-jobs.repository.js';
import { IngestProgressRepository } from './persistence/ingest-progress.repository.js';
import { SourceRemovalsRepository } from './persistence/source-removals.repository.js';

@Module({
  imports: [CorporaModule, RbacAbacModule, RetrievalModule],
  controllers: [DocumentsController],
  providers: [
    DocumentsRepository,
    IngestJobsRepository,
    IngestProgressRepository,
    SourceRemovalsRepository,
    SourceTexts,
    Documents,
    DocumentWriter,
    AcceptDocument,
    ReindexDocument,
    DeleteDocument,
    DocumentsOfCorpus,
    QueueDepth,
    IngestDispatch,
    IngestHandler,
    SourceRemovalHandler,
    {
      provide: Submissions,
      inject: [Settings, Ids],
      useFactory: (settings: Settings, ids: Ids) => new Submissions(settings.get(ingestionSettings), ids),
    },
    {
      provide: IngestAdmission,
      inject: [Settings, QueueDepth],
      useFactory: (settings: Settings, depth: QueueDepth) =>
        new IngestAdmission(settings.get(ingestionSettings), depth),
    },
    {
      provide: InlineIngestion,
      inject: [Settings, IngestHandler, UnitOfWork, Log],
      useFactory: (settings: Settings, handler: IngestHandler, uow: UnitOfWork, log: Log) =>
        new InlineIngestion(settings.get(ingestionSettings), handler, uow, log),
    },
    {
      provide: DocumentChunks,
      inject: [Settings, SourceTexts, EmbeddingModel, Ids],
      useFactory: (settings: Settings, sources: SourceTexts, embeddings: EmbeddingModel, ids: Ids) =>
        new DocumentChunks(settings.get(ingestionSettings), sources, embeddings, ids),
    },
    {
      provide: IngestReaper,
      inject: [Settings, UnitOfWork, IngestProgressRepository, AuditTrail],
      useFactory: (settings: Settings, uow: UnitOfWork, progress: IngestProgressRepository, audit: AuditTrail) =>
        new IngestReaper(settings.get(ingestionSettings), uow, progress, audit),
    },
  ],
  exports: [AcceptDocument, DocumentsOfCorpus, IngestHandler, IngestReaper, SourceRemovalHandler, Submissions],
})
export class IngestionModule {}
