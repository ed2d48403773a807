import { defineAuditEvents } from '../../kernel/audit.js';

export const ingestionAudit = defineAuditEvents({
  'documents.ingest.enqueued': {
    description: 'A document was accepted for ingestion.',
    metadata: [
      'corpus_id',
      'ingest_source',
      'file_name',
      'file_mime',
      'byte_count',
      'char_count',
      'metadata_keys',
      'overwrite',
    ],
    delivery: 'transactional',
  },
  'documents.reindex.enqueued': {
    description: 'A document was scheduled to be chunked and embedded again.',
    metadata: ['corpus_id', 'ingest_source', 'chunk_size_chars', 'chunk_overlap_chars'],
    delivery: 'transactional',
  },
  'documents.ingest.succeeded': {
    description: 'A document became searchable.',
    metadata: ['job_id', 'chunks', 'duration_ms', 'attempts'],
    delivery: 'transactional',
  },
  'documents.ingest.failed': {
    description: 'The ingestion of a document was given up.',
    metadata: ['job_id', 'duration_ms', 'attempts', 'code'],
    delivery: 'transactional',
  },
  'documents.labels.replaced': {
    description: 'The labels of a document were replaced, which may change who can do what with it.',
    metadata: ['corpus_id', 'label_keys'],
    delivery: 'transactional',
  },
  'documents.deleted': {
    description: 'A document was deleted with its chunks, labels and grants.',
    metadata: ['corpus_id', 'had_storage'],
    delivery: 'transactional',
  },
});
