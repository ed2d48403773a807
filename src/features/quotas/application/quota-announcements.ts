import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext, runInContext, systemContext } from '../../../kernel/context.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Period } from '../domain/period.js';
import { QuotaMarksRepository } from '../persistence/quota-marks.repository.js';
import { QuotaEvents, type HardCapBlocked, type SoftCapReached } from './quota-events.js';

const REMEMBERED = 10_000;
const HARD_CAP_EVERY_MS = 60_000;

/**
 * Announces what is announced once. The database marks it, so that of all processes one does; this process remembers
 * what it tried, so that it asks once. No request waits. In the context of the tenant.
 */
@Injectable()
export class QuotaAnnouncements implements OnApplicationShutdown {
  readonly #softCaps = new LRUCache<string, true>({ max: REMEMBERED });
  /** When, on the monotonic clock. */
  readonly #hardCaps = new LRUCache<string, { readonly at: number }>({ max: REMEMBERED });
  readonly #running = new Set<Promise<void>>();

  constructor(
    private readonly marks: QuotaMarksRepository,
    private readonly events: QuotaEvents,
    private readonly audit: AuditTrail,
    private readonly uow: UnitOfWork,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Once a period. */
  softCapReached(tenantId: string, period: Period, event: SoftCapReached): void {
    const key = `${tenantId} ${period.id}`;
    if (this.#softCaps.has(key)) return;
    this.#softCaps.set(key, true);
    const forget = (): void => void this.#softCaps.delete(key);
    this.#run(forget, async () => {
      if (!(await this.marks.markSoftCap(period))) return;
      await this.audit.record({ event: 'quota.soft_cap_reached', outcome: 'success', metadata: { ...event } });
      await this.events.softCapReached(event);
    });
  }

  /** At most once a period and minute. */
  hardCapBlocked(tenantId: string, period: Period, event: HardCapBlocked): void {
    const key = `${tenantId} ${period.id}`;
    const last = this.#hardCaps.get(key);
    if (last !== undefined && this.clock.monotonic() - last.at < HARD_CAP_EVERY_MS) return;
    this.#hardCaps.set(key, { at: this.clock.monotonic() });
    const forget = (): void => void this.#hardCaps.delete(key);
    this.#run(forget, async () => {
      const now = this.clock.now();
      const before = new Date(now.getTime() - HARD_CAP_EVERY_MS);
      if (await this.marks.markHardCap(period, now, before)) await this.events.hardCapBlocked(event);
    });
  }

  #run(forget: () => void, announce: () => Promise<void>): void {
    const { requestId, tenantId } = currentContext();
    // Not the request's own change: that one may be held to an Idempotency-Key.
    const running = runInContext(systemContext(requestId, tenantId), () => this.uow.run(announce))
      .catch((error: unknown) => {
        forget();
        this.log.error({ err: error }, 'the state of a quota was not announced; the next request tries again');
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}
