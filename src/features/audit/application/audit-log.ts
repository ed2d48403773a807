import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext } from '../../../kernel/context.js';
import type { Page } from '../../../kernel/cursor.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import {
  AuditEventsRepository,
  type EventTally,
  type PageRequest,
  type StoredAuditEvent,
} from '../persistence/audit-events.repository.js';
import type { AuditFilter } from '../persistence/audit-filter.js';

export type { AuditFilter, EventTally, StoredAuditEvent };

const EXPORT_BATCH = 500;
const MINUTE_MS = 60_000;
/** Keys that are told apart in one minute; views of any beyond are all noted. */
const MOST_VIEWERS = 10_000;

/** Reads the trail of the context's tenant. */
@Injectable()
export class AuditLog {
  #minute = 0;
  readonly #viewers = new Set<string>();

  constructor(
    private readonly uow: UnitOfWork,
    private readonly events: AuditEventsRepository,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list(request: Omit<PageRequest, 'order'>): Promise<Page<StoredAuditEvent>> {
    return this.uow.read(() => this.events.page({ ...request, order: 'newest first' }));
  }

  /** @throws NOT_FOUND, also for another tenant's event. */
  async get(id: number): Promise<StoredAuditEvent> {
    const event = await this.uow.read(() => this.events.find(id));
    if (event === undefined) throw commonErrors.NOT_FOUND({ message: 'No such audit event.' });
    return event;
  }

  /** How often events of the type occurred since then. One that stands for several says so in `repeats`. */
  async tally(eventType: string, since: Date): Promise<EventTally> {
    return this.uow.read(() => this.events.tally(eventType, since));
  }

  /**
   * Every event that fits and occurred until now, oldest first, some at a time. There is no export without an event
   * that says so. Nothing is held between two batches, however slow the reader is.
   */
  async export(filter: AuditFilter): Promise<AsyncIterable<readonly StoredAuditEvent[]>> {
    const now = this.clock.now().toISOString();
    const bounded = filter.to !== undefined && new Date(filter.to) < new Date(now) ? filter : { ...filter, to: now };
    await this.uow.run(() =>
      this.audit.record({
        event: 'audit.exported',
        outcome: 'success',
        resourceType: 'audit',
        metadata: { filters: filter },
      }),
    );
    return this.#batches(bounded);
  }

  async *#batches(filter: AuditFilter): AsyncIterable<readonly StoredAuditEvent[]> {
    for (let cursor: string | null | undefined; cursor !== null;) {
      const request = { filter, order: 'oldest first', limit: EXPORT_BATCH, cursor } as const;
      const page = await this.uow.read(() => this.events.page(request));
      if (page.items.length > 0) yield page.items;
      cursor = page.nextCursor;
    }
  }

  /** Notes that somebody looked at the trail: the first time in a minute. */
  noteView(path: string, method: string): void {
    const key = currentContext().principal?.apiKeyId ?? '';
    const minute = Math.floor(this.clock.now().getTime() / MINUTE_MS);
    if (minute !== this.#minute) this.#viewers.clear();
    this.#minute = minute;
    if (this.#viewers.has(key)) return;
    if (this.#viewers.size < MOST_VIEWERS) this.#viewers.add(key);
    this.audit.note({ event: 'audit.viewed', outcome: 'success', resourceType: 'audit', metadata: { path, method } });
  }
}
