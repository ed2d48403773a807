import { z } from 'zod';
import { defineJob, type JobSpec } from '../../kernel/jobs.js';
import { isPermanentFailure } from './domain/ingest-failure.js';
import type { IngestionSettings } from './ingestion.settings.js';

/** The job carries no content: what it works on is read, fenced by the generation, when it runs. */
export const ingestJob = defineJob({
  name: 'ingest',
  description: 'Chunks and embeds the stored text of a document and puts it in the index.',
  payload: z.object({ documentId: z.string(), generation: z.int() }),
  attempts: 3,
  backoff: { baseMs: 2000, maxMs: 60_000 },
  permanent: isPermanentFailure,
});

export type IngestPayload = z.infer<(typeof ingestJob)['payload']>;

/** The job with as many attempts as INGEST_MAX_RETRIES says. */
export function ingestJobOf({ maxAttempts }: Pick<IngestionSettings, 'maxAttempts'>): JobSpec<IngestPayload> {
  return { ...ingestJob, attempts: maxAttempts };
}

export const sourceRemovalJob = defineJob({
  name: 'document-source-removal',
  description: 'Deletes stored texts that no document refers to any more.',
  payload: z.object({ keys: z.array(z.string()) }),
  attempts: 10,
  backoff: { baseMs: 5000, maxMs: 600_000 },
});

export type SourceRemovalPayload = z.infer<(typeof sourceRemovalJob)['payload']>;
