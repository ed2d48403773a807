import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Jobs } from '../../../kernel/jobs.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { QUEUE_UNAVAILABLE } from '../domain/ingest-failure.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { ingestJob } from '../ingestion.jobs.js';
import { IngestJobsRepository, type IngestJobRecord } from '../persistence/ingest-jobs.repository.js';
import type { Route } from './ingest-admission.js';
import { IngestProgress } from './ingest-progress.js';
import { InlineIngestion } from './inline-ingestion.js';

export interface Dispatch {
  readonly job: IngestJobRecord;
  readonly tenantId: string;
  readonly route: Route;
}

/** Gets a document that was just set to `queued` on its way. */
@Injectable()
export class IngestDispatch {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly jobs: Jobs,
    private readonly history: IngestJobsRepository,
    private readonly progress: IngestProgress,
    private readonly audit: AuditTrail,
    private readonly inline: InlineIngestion,
  ) {}

  /** In the transaction that sets the document to `queued`. */
  async schedule(
    job: IngestJobRecord,
    route: Route,
    event: { readonly name: string; readonly metadata: Readonly<Record<string, unknown>> },
  ): Promise<Dispatch> {
    await this.history.insert(job);
    if (route === 'unreachable') await this.#giveUp(job);
    else {
      await this.audit.record({
        event: event.name,
        outcome: 'success',
        resourceType: 'document',
        resourceId: job.documentId,
        metadata: event.metadata,
      });
      if (route === 'queue') {
        await this.jobs.enqueue(ingestJob, { documentId: job.documentId, generation: job.generation }, { id: job.id });
      }
    }
    return { job, tenantId: this.uow.tenantId, route };
  }

  /** After the commit. @throws QUEUE_ERROR for a document that was stored as failed. */
  async settle({ job, tenantId, route }: Dispatch): Promise<void> {
    if (route === 'inline') await this.inline.run(tenantId, job);
    if (route === 'unreachable') {
      throw ingestionErrors.QUEUE_ERROR({ details: { document_id: job.documentId, job_id: job.id } });
    }
  }

  async #giveUp({ id, documentId, generation }: IngestJobRecord): Promise<void> {
    await this.progress.fail({ documentId, generation, jobId: id }, QUEUE_UNAVAILABLE, 0);
  }
}
