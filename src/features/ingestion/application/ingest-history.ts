import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { IngestJobsRepository, type IngestCounts } from '../persistence/ingest-jobs.repository.js';

export type { IngestCounts };

/** What reports ask about ingestions of the context's tenant. */
@Injectable()
export class IngestHistory {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly jobs: IngestJobsRepository,
  ) {}

  /** Ingestions that were asked for since then, by how they stand; without those of deleted documents. */
  async counts(since: Date): Promise<IngestCounts> {
    return this.uow.read(() => this.jobs.counts(since));
  }
}
