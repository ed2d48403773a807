import { bool, defineSettings, int, oneOf, text, type SettingsOf } from '../../kernel/settings.js';

export const ingestionSettings = defineSettings('ingestion', 'Ingestion', {
  executionMode: oneOf(['queue', 'inline'], {
    env: 'INGEST_EXECUTION_MODE',
    default: 'queue',
    doc: 'inline does the work within the request, for installations without a worker.',
  }),
  queueName: text({
    env: 'INGEST_QUEUE_NAME',
    default: 'ingest',
    pattern: /^[A-Za-z0-9._-]{1,64}$/,
    doc: 'Name of the queue of documents in Redis.',
  }),
  maxAttempts: int({
    env: 'INGEST_MAX_RETRIES',
    default: 3,
    min: 1,
    max: 20,
    unit: 'attempts',
    doc: 'Attempts in total before a document is failed.',
  }),
  maxConcurrency: int({
    env: 'INGEST_MAX_CONCURRENCY',
    default: 4,
    min: 1,
    max: 256,
    unit: 'documents',
    doc: 'Documents that one worker process ingests at once.',
  }),
  bulkheadMaxConcurrency: int({
    env: 'INGEST_BULKHEAD_MAX_CONCURRENCY',
    default: undefined,
    min: 1,
    max: 256,
    unit: 'requests',
    doc: 'Inline mode only: requests that ingest at once; more are answered 503. Unset: INGEST_MAX_CONCURRENCY.',
  }),
  maxQueueDepth: int({
    env: 'INGEST_MAX_QUEUE_DEPTH',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    unit: 'jobs',
    doc: 'New documents are answered 503 while this many wait.',
  }),
  staleAfterSeconds: int({
    env: 'INGEST_STALE_AFTER_S',
    default: 900,
    min: 10,
    max: 86_400,
    unit: 's',
    doc: 'A document in progress that nobody works on is failed after this time.',
  }),
  chunker: oneOf(['v1', 'v2'], {
    env: 'CHUNKER',
    default: 'v2',
    doc: 'Chunker of new documents. A document keeps the one it was made with until it is reindexed.',
  }),
  maxChunks: int({
    env: 'INGEST_MAX_CHUNKS',
    default: 20_000,
    min: 1,
    max: 1_000_000,
    unit: 'chunks',
    doc: 'A document that needs more chunks fails; bounds the memory of a worker and the size of one transaction.',
  }),
  strictChunkValidation: bool({
    env: 'INGEST_STRICT_CHUNK_VALIDATION',
    default: true,
    doc: 'Off: an overlap that is not smaller than the chunk size is accepted and fails the document afterwards.',
  }),
});

export type IngestionSettings = SettingsOf<typeof ingestionSettings>;
