import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { STALLED } from '../domain/ingest-failure.js';
import { ingestionSettings, type IngestionSettings } from '../ingestion.settings.js';
import { IngestProgressRepository } from '../persistence/ingest-progress.repository.js';

const BATCH = 200;

/**
 * Fails documents whose ingestion ended without a trace: the process died within an inline ingestion, or the job was
 * lost. Without it they would refuse reindex and deletion for ever.
 */
@Injectable()
export class IngestReaper {
  constructor(
    @Inject(ingestionSettings.token) private readonly settings: Pick<IngestionSettings, 'staleAfterSeconds'>,
    private readonly uow: UnitOfWork,
    private readonly progress: IngestProgressRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** @returns how many documents were failed. Harmless to run at any time and in several processes at once. */
  async sweep(): Promise<number> {
    for (let total = 0; ;) {
      const failed = await this.uow.acrossTenants('reaper', () => this.#failSome());
      total += failed;
      if (failed < BATCH) return total;
    }
  }

  async #failSome(): Promise<number> {
    const stalled = await this.progress.failStalled(this.settings.staleAfterSeconds, BATCH, STALLED);
    for (const { tenantId, documentId, jobId } of stalled) {
      await this.audit.record({
        event: 'documents.ingest.failed',
        outcome: 'failure',
        resourceType: 'document',
        resourceId: documentId,
        errorCode: STALLED.code,
        metadata: { job_id: jobId, code: STALLED.code },
        actor: { type: 'system', tenantId },
      });
    }
    return stalled.length;
  }
}
