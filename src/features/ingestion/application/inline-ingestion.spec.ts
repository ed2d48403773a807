import { describe, expect, it } from '@jest/globals';
import type { JobHandler, JobRun } from '../../../kernel/jobs.js';
import { silentLog } from '../../../kernel/log.js';
import { loadSettings } from '../../../kernel/settings.js';
import { ingestionErrors } from '../ingestion.errors.js';
import type { IngestPayload } from '../ingestion.jobs.js';
import { ingestionSettings } from '../ingestion.settings.js';
import { InlineIngestion } from './inline-ingestion.js';

class Scripted implements JobHandler<IngestPayload> {
  readonly runs: JobRun<IngestPayload>[] = [];
  readonly failures: { attempt: number; error: unknown }[] = [];
  /** What the attempts throw, in order; undefined succeeds. */
  constructor(private readonly errors: readonly (Error | undefined)[]) {}

  async run(job: JobRun<IngestPayload>): Promise<void> {
    this.runs.push(job);
    const error = this.errors[this.runs.length - 1];
    if (error !== undefined) throw error;
  }
  async failed({ attempt }: JobRun<IngestPayload>, error: unknown): Promise<void> {
    this.failures.push({ attempt, error });
  }
}

async function ingest(handler: Scripted, maxAttempts = '3'): Promise<void> {
  const settings = loadSettings({ INGEST_MAX_RETRIES: maxAttempts }, [ingestionSettings]).get(ingestionSettings);
  const inline = new InlineIngestion(settings, handler, { run: (fn) => fn() }, silentLog);
  await inline.run('t1', { id: 'j1', documentId: 'd1', generation: 4, kind: 'ingest' });
}

describe('InlineIngestion', () => {
  it('hands over the job as a worker would', async () => {
    const handler = new Scripted([]);
    await ingest(handler);
    expect(handler.runs).toEqual([
      expect.objectContaining({
        id: 'j1',
        tenantId: 't1',
        payload: { documentId: 'd1', generation: 4 },
        attempt: 1,
        lastAttempt: false,
      }),
    ]);
    expect(handler.failures).toEqual([]);
  });

  it('tries again after a passing failure', async () => {
    const handler = new Scripted([new Error('once'), undefined]);
    await ingest(handler);
    expect(handler.runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(handler.failures).toEqual([]);
  });

  it('gives up after the attempts that the setting allows', async () => {
    const last = new Error('second');
    const handler = new Scripted([new Error('first'), last, undefined]);
    await ingest(handler, '2');
    expect(handler.runs.map(({ lastAttempt }) => lastAttempt)).toEqual([false, true]);
    expect(handler.failures).toEqual([{ attempt: 2, error: last }]);
  });

  it('gives up at once on what no attempt can mend', async () => {
    const missing = ingestionErrors.INGEST_SOURCE_MISSING();
    const handler = new Scripted([missing, undefined]);
    await ingest(handler);
    expect(handler.failures).toEqual([{ attempt: 1, error: missing }]);
  });
});
