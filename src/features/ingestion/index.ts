export { AcceptDocument, type Accepted } from './application/accept-document.js';
export { DocumentsOfCorpus } from './application/documents-of-corpus.js';
export { IngestHistory, type IngestCounts } from './application/ingest-history.js';
export { IngestReaper } from './application/ingest-reaper.js';
export { Submissions, type Submission, type TextRequest } from './application/submissions.js';
export { storedKeysOf } from './domain/document.js';
export { ingestionAudit } from './ingestion.audit.js';
export { ingestionErrors } from './ingestion.errors.js';
export {
  ingestJob,
  ingestJobOf,
  sourceRemovalJob,
  type IngestPayload,
  type SourceRemovalPayload,
} from './ingestion.jobs.js';
export { IngestionModule } from './ingestion.module.js';
export { ingestionSettings, type IngestionSettings } from './ingestion.settings.js';
export { IngestHandler } from './jobs/ingest.handler.js';
export { SourceRemovalHandler } from './jobs/source-removal.handler.js';
export { DocumentLabelEntity } from './persistence/document-label.entity.js';
export { DocumentSourceRemovalEntity } from './persistence/document-source-removal.entity.js';
export { DocumentEntity } from './persistence/document.entity.js';
export { IngestJobEntity } from './persistence/ingest-job.entity.js';
