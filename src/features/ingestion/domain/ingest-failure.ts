import { AppError } from '../../../kernel/errors.js';

/** What is stored with a failed document. Both parts are public. */
export interface IngestFailure {
  readonly code: string;
  readonly reason: string;
}

export const QUEUE_UNAVAILABLE: IngestFailure = {
  code: 'QUEUE_ERROR',
  reason: 'The ingestion queue was unavailable. Reindex the document to try again.',
};

export const STALLED: IngestFailure = {
  code: 'INGEST_STALLED',
  reason: 'The ingestion stopped before it was finished. Reindex the document to try again.',
};

const GENERIC_REASON = 'The ingestion failed. The logs of the worker have the details under the job id.';

/** Codes whose public text tells the owner of the document what to change. */
const TELLING = new Set([
  'INGEST_VALIDATION_ERROR',
  'INGEST_SOURCE_MISSING',
  'EMBEDDING_DIMENSION_MISMATCH',
  'residency.mismatch',
  'residency.provider_mismatch',
  'residency.egress_blocked',
  'FILE_ENCRYPTED',
  'FILE_CORRUPT',
  'FILE_TOO_LARGE',
  'FILE_TIMEOUT',
  'FILE_WITHOUT_TEXT',
]);

/** Codes of rules that refused the corpus: machines branch on them, and their text is for who asked. */
const REFUSALS = new Set([
  'VECTOR_DB_NOT_ATTACHED',
  'RESIDENCY_POLICY_INACTIVE',
  'residency.vector_db_mismatch',
  'BYOK_POSTURE_VETO',
]);

/** Never repeats what a driver or a provider said. */
export function describeFailure(error: unknown): IngestFailure {
  if (error instanceof AppError && TELLING.has(error.code)) return { code: error.code, reason: error.message };
  if (error instanceof AppError && REFUSALS.has(error.code)) return { code: error.code, reason: error.code };
  return { code: isDatabaseFailure(error) ? 'DB_ERROR' : 'UNKNOWN', reason: GENERIC_REASON };
}

/** Whether another attempt with the same document and configuration is bound to fail. */
export function isPermanentFailure(error: unknown): boolean {
  return error instanceof AppError && error.spec.retry !== 'later';
}

function isDatabaseFailure(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'SERVICE_UNAVAILABLE' || error.code === 'DB_ERROR';
  return error instanceof Error && error.name === 'QueryFailedError';
}
