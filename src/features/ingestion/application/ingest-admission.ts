import { Inject, Injectable } from '@nestjs/common';
import { Bulkhead } from '../../../kernel/bulkhead.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { CorpusRules } from '../../corpora/index.js';
import { ingestionSettings, type IngestionSettings } from '../ingestion.settings.js';
import { QueueDepth } from './queue-depth.js';

/** How an accepted document gets ingested: by a worker, within the request, or not for now. */
export type Route = 'queue' | 'inline' | 'unreachable';

/** Keeps the platform from accepting more than it can work off. */
@Injectable()
export class IngestAdmission {
  readonly #slots: Bulkhead;

  constructor(
    @Inject(ingestionSettings.token) private readonly settings: IngestionSettings,
    private readonly depth: QueueDepth,
    @Inject(CorpusRules) private readonly rules: Pick<CorpusRules, 'requireIngest'>,
  ) {
    this.#slots = new Bulkhead(settings.bulkheadMaxConcurrency ?? settings.maxConcurrency);
  }

  /** Runs `work` in a slot of the inline mode; queue mode has none. @throws SERVICE_BUSY when all are taken. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.settings.executionMode === 'queue') return work();
    const release = this.#slots.acquire();
    if (release === undefined) throw commonErrors.SERVICE_BUSY();
    try {
      return await work();
    } finally {
      release();
    }
  }

  /**
   * Asked before anything is stored.
   *
   * @throws residency.provider_mismatch, residency.egress_blocked; SERVICE_BUSY while too many jobs wait.
   */
  async route(corpusId: string): Promise<Route> {
    await this.rules.requireIngest(corpusId);
    if (this.settings.executionMode === 'inline') return 'inline';
    const depth = await this.depth.read();
    if (depth === undefined) return 'unreachable';
    if (depth >= this.settings.maxQueueDepth) throw commonErrors.SERVICE_BUSY();
    return 'queue';
  }
}
