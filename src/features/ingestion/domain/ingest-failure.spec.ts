import { describe, expect, it } from '@jest/globals';
import { commonErrors } from '../../../kernel/common-errors.js';
import { documentParserErrors } from '../../../platform/document-parser/document-parser.errors.js';
import { modelErrors } from '../../../platform/model-gateway/model-gateway.errors.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { describeFailure, isPermanentFailure } from './ingest-failure.js';

class QueryFailedError extends Error {
  override readonly name = 'QueryFailedError';
}

describe('describeFailure', () => {
  it('names the offending parameter to the owner of the document', () => {
    const message = 'chunk_overlap_chars must be smaller than chunk_size_chars';
    expect(describeFailure(ingestionErrors.INGEST_VALIDATION_ERROR({ message }))).toEqual({
      code: 'INGEST_VALIDATION_ERROR',
      reason: message,
    });
  });

  it.each(Object.entries(documentParserErrors))('tells the owner what is wrong with a file: %s', (code, error) => {
    expect(describeFailure(error({ message: 'The file is broken.' }))).toEqual({ code, reason: 'The file is broken.' });
    expect(isPermanentFailure(error())).toBe(true);
  });

  it.each([
    [ingestionErrors.INGEST_SOURCE_MISSING(), 'INGEST_SOURCE_MISSING'],
    [modelErrors.EMBEDDING_DIMENSION_MISMATCH(), 'EMBEDDING_DIMENSION_MISMATCH'],
    [commonErrors.SERVICE_UNAVAILABLE(), 'DB_ERROR'],
    [new QueryFailedError('duplicate key'), 'DB_ERROR'],
    [modelErrors.EMBEDDING_ERROR(), 'UNKNOWN'],
    [new TypeError('x is undefined'), 'UNKNOWN'],
    ['a string', 'UNKNOWN'],
  ])('%s has the code %s', (error, code) => {
    expect(describeFailure(error).code).toBe(code);
  });

  // The reason is shown to every reader of the document.
  it('repeats nothing that a driver, a provider or the code said', () => {
    for (const error of [new QueryFailedError('password=hunter2'), new Error('/srv/secret.ts:12')]) {
      expect(describeFailure(error).reason).toBe(
        'The ingestion failed. The logs of the worker have the details under the job id.',
      );
    }
  });
});

describe('isPermanentFailure', () => {
  it.each([
    [ingestionErrors.INGEST_VALIDATION_ERROR(), true],
    [ingestionErrors.INGEST_SOURCE_MISSING(), true],
    [modelErrors.EMBEDDING_DIMENSION_MISMATCH(), true],
    [modelErrors.EMBEDDING_ERROR(), false],
    [commonErrors.SERVICE_UNAVAILABLE(), false],
    [new Error('anything'), false],
  ])('%s: %s', (error, permanent) => {
    expect(isPermanentFailure(error)).toBe(permanent);
  });
});
