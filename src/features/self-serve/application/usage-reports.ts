import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Clock } from '../../../kernel/time.js';
import { AuditLog, type EventTally } from '../../audit/index.js';
import { IngestHistory, type IngestCounts } from '../../ingestion/index.js';
import { Usage, type QuotaSnapshot, type RequestSummary } from '../../quotas/index.js';

const DAY_MS = 86_400_000;

export interface UsageSummary {
  readonly requests: RequestSummary;
  readonly quota: QuotaSnapshot;
  readonly rateLimitHits: EventTally;
  readonly ingestion: IngestCounts;
}

/** What the context's tenant used in the last days, which are UTC dates that end today; and that somebody asked. */
@Injectable()
export class UsageReports {
  constructor(
    private readonly usage: Usage,
    private readonly trail: AuditLog,
    private readonly ingestions: IngestHistory,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  async summary(days: number): Promise<UsageSummary> {
    const today = Math.floor(this.clock.now().getTime() / DAY_MS) * DAY_MS;
    const since = new Date(today - (days - 1) * DAY_MS);
    const summary = {
      requests: await this.usage.summary(days),
      quota: await this.usage.snapshot(),
      rateLimitHits: await this.trail.tally('security.rate_limited', since),
      ingestion: await this.ingestions.counts(since),
    };
    this.#viewed({ window_days: days });
    return summary;
  }

  /** Requests of each day. */
  async timeseries(days: number): Promise<{ readonly ts: string; readonly value: number }[]> {
    const points = await this.usage.timeseries(days);
    this.#viewed({ metric: 'requests', granularity: 'day', days });
    return points;
  }

  #viewed(metadata: Readonly<Record<string, unknown>>): void {
    this.audit.note({ event: 'selfserve.usage.viewed', outcome: 'success', metadata });
  }
}
