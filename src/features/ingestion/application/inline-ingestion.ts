import { Inject, Injectable } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import type { JobHandler } from '../../../kernel/jobs.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ingestJobOf, type IngestPayload } from '../ingestion.jobs.js';
import { ingestionSettings, type IngestionSettings } from '../ingestion.settings.js';
import { IngestHandler } from '../jobs/ingest.handler.js';
import type { IngestJobRecord } from '../persistence/ingest-jobs.repository.js';

/** Does within the request what a worker would do. */
@Injectable()
export class InlineIngestion {
  constructor(
    @Inject(ingestionSettings.token) private readonly settings: IngestionSettings,
    @Inject(IngestHandler) private readonly handler: JobHandler<IngestPayload>,
    @Inject(UnitOfWork) private readonly uow: Pick<UnitOfWork, 'run'>,
    private readonly log: Log,
  ) {}

  /**
   * Ends with the document succeeded or failed. Attempts follow each other at once: a client is waiting, and the
   * model gateway has waited between its own attempts already.
   */
  async run(tenantId: string, job: IngestJobRecord): Promise<void> {
    const { attempts, permanent } = ingestJobOf(this.settings);
    const { id, documentId, generation } = job;
    const { signal } = new AbortController();
    for (let attempt = 1; ; attempt += 1) {
      const payload = { documentId, generation };
      const run = { id, tenantId, payload, attempt, lastAttempt: attempt === attempts, signal };
      try {
        await this.handler.run(run);
        return;
      } catch (error) {
        this.log.warn({ err: error, job_id: id, document_id: documentId, attempt }, 'inline ingestion failed');
        if (!run.lastAttempt && permanent?.(error) !== true) continue;
        await this.uow.run(() => this.handler.failed(run, error));
        return;
      }
    }
  }
}
