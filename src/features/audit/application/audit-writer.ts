import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AuditTrail, type AuditEntry, type AuditEventSet } from '../../../kernel/audit.js';
import { tryContext } from '../../../kernel/context.js';
import { isAppError } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import type { Principal } from '../../../kernel/principal.js';
import { Clock, type Timer } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { storableMetadata } from '../domain/redaction.js';
import { AuditEventsRepository, type AuditRow } from '../persistence/audit-events.repository.js';

const FLUSH_EVERY_MS = 1000;
const MAX_BUFFERED = 10_000;
/** After so many refusals in a row without a success, the fault is not in the rows. */
const MOST_REFUSALS = 20;

/**
 * Writes the trail. Events of changes join the change's transaction. Access events are buffered and written in
 * batches; while the database is away up to 10,000 are kept and any beyond are counted and dropped, so that a
 * flood or an outage costs memory no more than that.
 */
@Injectable()
export class AuditWriter extends AuditTrail implements OnModuleInit, OnApplicationShutdown {
  #buffer: AuditRow[] = [];
  #dropped = 0;
  #timer: Timer | undefined;
  #flushing: Promise<void> | undefined;

  constructor(
    private readonly registry: AuditEventSet,
    private readonly events: AuditEventsRepository,
    private readonly uow: UnitOfWork,
    private readonly clock: Clock,
    private readonly log: Log,
    /** Most rows that one statement writes. */
    private readonly batchSize = 500,
  ) {
    super();
  }

  onModuleInit(): void {
    this.#schedule();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.flush();
  }

  async record(...entries: readonly AuditEntry[]): Promise<void> {
    for (const entry of entries) {
      if (!this.uow.inTransaction) throw new Error(`${entry.event} must be recorded in the transaction of its change.`);
      this.#check(entry, 'transactional');
    }
    await this.events.insert(entries.map((entry) => this.#row(entry)));
    // Every change is audited in its transaction, so this is where each of them passes.
    await tryContext()?.reservation?.changing();
  }

  note(entry: AuditEntry): void {
    try {
      this.#check(entry, 'access');
      if (this.#buffer.length >= MAX_BUFFERED) this.#dropped += 1;
      else this.#buffer.push(this.#row(entry));
      if (this.#buffer.length >= this.batchSize && this.#flushing === undefined) void this.flush();
    } catch (error) {
      this.log.error({ err: error, event: entry.event }, 'audit event not written');
    }
  }

  /** Writes what is buffered. Rows that could not be written stay for the next time. */
  async flush(): Promise<void> {
    this.#flushing ??= this.uow.outside(() => this.#drain()).finally(() => (this.#flushing = undefined));
    await this.#flushing;
  }

  async #drain(): Promise<void> {
    while (this.#buffer.length > 0) {
      const batch = this.#buffer.slice(0, this.batchSize);
      try {
        await this.#write(batch);
        this.#buffer = this.#buffer.slice(batch.length);
      } catch (error) {
        this.log.error({ err: error, buffered: this.#buffer.length }, 'audit events not written; kept for later');
        return;
      }
    }
    if (this.#dropped > 0) this.log.error({ audit_dropped_total: this.#dropped }, 'audit events were dropped');
    this.#dropped = 0;
  }

  /**
   * A row that the database refuses must not keep the others back: it is dropped alone. When it takes none of them,
   * the trail cannot be written, and all are kept.
   */
  async #write(batch: readonly AuditRow[]): Promise<void> {
    try {
      await this.events.insertAcrossTenants(batch);
    } catch (error) {
      if (isAppError(error)) throw error;
      const refused: AuditRow[] = [];
      for (const [tried, row] of batch.entries()) {
        if (!(await this.#accepts(row))) refused.push(row);
        if (refused.length > tried && tried >= MOST_REFUSALS) throw error;
      }
      if (refused.length === batch.length) throw error;
      this.#dropped += refused.length;
    }
  }

  async #accepts(row: AuditRow): Promise<boolean> {
    try {
      await this.events.insertAcrossTenants([row]);
      return true;
    } catch (error) {
      if (isAppError(error)) throw error;
      this.log.error({ err: error, event: row.event_type }, 'the database refused an audit event');
      return false;
    }
  }

  #schedule(): void {
    this.#timer = this.clock.after(FLUSH_EVERY_MS, () => {
      void this.flush().finally(() => {
        if (this.#timer !== undefined) this.#schedule();
      });
    });
  }

  #check(entry: AuditEntry, delivery: 'transactional' | 'access'): void {
    const spec = this.registry[entry.event];
    if (spec === undefined) throw new Error(`${entry.event} is not a declared audit event.`);
    if (spec.delivery !== delivery) throw new Error(`${entry.event} is declared as ${spec.delivery}.`);
    const stray = Object.keys(entry.metadata ?? {}).find((key) => !spec.metadata.includes(key));
    if (stray !== undefined) throw new Error(`${entry.event} does not declare the metadata ${stray}.`);
  }

  #row(entry: AuditEntry): AuditRow {
    const context = tryContext();
    const actor = entry.actor ?? contextActor(context?.principal);
    return {
      occurred_at: this.clock.now().toISOString(),
      tenant_id: orNull(actor.tenantId ?? context?.tenantId),
      actor_type: actor.type,
      actor_id: orNull(actor.id),
      actor_role: orNull(actor.role),
      subject_id: orNull(actor.subjectId),
      event_type: entry.event,
      outcome: entry.outcome,
      resource_type: orNull(entry.resourceType),
      resource_id: orNull(entry.resourceId),
      request_id: orNull(context?.requestId),
      ip_address: orNull(context?.ipAddress),
      user_agent: orNull(context?.userAgent),
      metadata_json: entry.metadata === undefined ? null : storableMetadata(entry.metadata),
      error_code: orNull(entry.errorCode),
    };
  }
}

function contextActor(principal: Principal | undefined): NonNullable<AuditEntry['actor']> {
  if (principal === undefined) return { type: 'system' };
  const { authMethod, apiKeyId, role, subjectId } = principal;
  return { type: authMethod, id: apiKeyId, role, subjectId };
}

function orNull<T>(value: T | undefined): T | null {
  return value ?? null;
}
