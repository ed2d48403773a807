import { Module } from '@nestjs/common';
import { CorporaModule } from '../corpora/index.js';
import { RbacAbacModule } from '../rbac-abac/index.js';
import { RetrievalModule } from '../retrieval/index.js';
import { VectorDbsModule } from '../vector-dbs/index.js';
import { AcceptDocument } from './application/accept-document.js';
import { DeleteDocument } from './application/delete-document.js';
import { DocumentChunks } from './application/document-chunks.js';
import { DocumentContent } from './application/document-content.js';
import { DocumentLabels } from './application/document-labels.js';
import { DocumentText } from './application/document-text.js';
import { DocumentWriter } from './application/document-writer.js';
import { DocumentsOfCorpus } from './application/documents-of-corpus.js';
import { Documents } from './application/documents.js';
import { IngestAdmission } from './application/ingest-admission.js';
import { IngestDispatch } from './application/ingest-dispatch.js';
import { IngestHistory } from './application/ingest-history.js';
import { IngestProgress } from './application/ingest-progress.js';
import { IngestReaper } from './application/ingest-reaper.js';
import { InlineIngestion } from './application/inline-ingestion.js';
import { PermittedDocuments } from './application/permitted-documents.js';
import { QueueDepth } from './application/queue-depth.js';
import { ReindexDocument } from './application/reindex-document.js';
import { SourceTexts } from './application/source-texts.js';
import { Submissions } from './application/submissions.js';
import { DocumentsController } from './http/documents.controller.js';
import { IngestHandler } from './jobs/ingest.handler.js';
import { SourceRemovalHandler } from './jobs/source-removal.handler.js';
import { DocumentsRepository } from './persistence/documents.repository.js';
import { IngestJobsRepository } from './persistence/ingest-jobs.repository.js';
import { IngestProgressRepository } from './persistence/ingest-progress.repository.js';
import { SourceRemovalsRepository } from './persistence/source-removals.repository.js';

@Module({
  imports: [CorporaModule, RbacAbacModule, RetrievalModule, VectorDbsModule],
  controllers: [DocumentsController],
  providers: [
    DocumentsRepository,
    IngestJobsRepository,
    IngestProgressRepository,
    SourceRemovalsRepository,
    SourceTexts,
    DocumentText,
    Documents,
    PermittedDocuments,
    DocumentContent,
    DocumentLabels,
    DocumentWriter,
    AcceptDocument,
    ReindexDocument,
    DeleteDocument,
    DocumentsOfCorpus,
    QueueDepth,
    IngestHistory,
    IngestProgress,
    IngestDispatch,
    IngestHandler,
    SourceRemovalHandler,
    Submissions,
    IngestAdmission,
    InlineIngestion,
    DocumentChunks,
    IngestReaper,
  ],
  exports: [
    AcceptDocument,
    DocumentsOfCorpus,
    IngestHandler,
    IngestHistory,
    IngestReaper,
    SourceRemovalHandler,
    Submissions,
  ],
})
export class IngestionModule {}
