import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { MinuteCounts } from './minute-counts.js';

/** Tells of tenants that are served though nobody knows where they may be. */
@Injectable()
export class FailedOpen {
  /** Checks of this process, since it started. */
  total = 0;
  readonly #minutes: MinuteCounts;

  constructor(
    private readonly audit: AuditTrail,
    private readonly log: Log,
    clock: Clock,
  ) {
    this.#minutes = new MinuteCounts(clock);
  }

  /** @param known whether the tenant is served as it was when it was last read, which is no failing open. */
  note(tenantId: string, error: unknown, known: boolean): void {
    const { path } = currentContext();
    const about = { err: error, tenant_id: tenantId, path };
    if (known) {
      this.log.warn(about, 'residency_check_failed_last_known');
      return;
    }
    this.total += 1;
    this.log.warn(about, 'residency_check_failed_failing_open');
    if (this.#minutes.add(tenantId).count > 1) return;
    this.audit.note({
      event: 'residency.check_failed_open',
      outcome: 'failure',
      metadata: { path: path ?? null, error_class: error instanceof Error ? error.name : typeof error },
    });
  }
}
