import { Injectable } from '@nestjs/common';
import { AppError } from '../../../kernel/errors.js';
import type { JobHandler, JobRun } from '../../../kernel/jobs.js';
import { Corpora, CorpusRules } from '../../corpora/index.js';
import { VectorDbAccess } from '../../vector-dbs/index.js';
import { Reembedding } from '../application/reembedding.js';
import type { ReembedPayload } from '../retrieval.jobs.js';

@Injectable()
export class ReembedHandler implements JobHandler<ReembedPayload> {
  constructor(
    private readonly reembedding: Reembedding,
    private readonly corpora: Corpora,
    private readonly rules: CorpusRules,
    private readonly access: VectorDbAccess,
  ) {}

  async run({ payload, signal }: JobRun<ReembedPayload>): Promise<void> {
    // Again: it may have waited for long, and what allowed it may be gone.
    await this.rules.requireIngest(payload.corpusId);
    await this.access.require(await this.corpora.get(payload.corpusId), 'reindex');
    await this.reembedding.carryOut(payload.corpusId, payload.model, signal);
  }

  async failed({ payload }: JobRun<ReembedPayload>, error: unknown): Promise<void> {
    await this.reembedding.giveUp(payload.corpusId, payload.model, error instanceof AppError ? error.code : 'UNKNOWN');
  }
}
