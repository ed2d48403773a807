import { Injectable } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import type { Page } from '../../../kernel/cursor.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { CHANGES_POSTURE, type KeyEvent } from '../domain/ledger.js';
import { KeyEventsRepository, type KeyEventFilter, type NewKeyEvent } from '../persistence/key-events.repository.js';
import { KeyChanges } from './key-changes.js';
import { KeyEventFeed } from './key-event-feed.js';

/** What happened, with what the audit trail is told of it. */
export interface LedgerEntry extends NewKeyEvent {
  readonly version: number;
  /** Who the caller says that it acts for. */
  readonly actorRef?: string;
  readonly audit?: Readonly<Record<string, unknown>>;
  readonly outcome?: 'failure';
}

/** The ledger of keys and the audit trail, written together. */
@Injectable()
export class KeyLedger {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly events: KeyEventsRepository,
    private readonly audit: AuditTrail,
    private readonly feed: KeyEventFeed,
    private readonly changes: KeyChanges,
    private readonly clock: Clock,
  ) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list(providerId: string, filter: KeyEventFilter, limit: number, cursor?: string): Promise<Page<KeyEvent>> {
    return this.uow.read(() => this.events.list(providerId, filter, limit, cursor));
  }

  /** In the transaction of the change, with the provider locked: events of one provider. */
  async append(...entries: readonly LedgerEntry[]): Promise<void> {
    await this.events.insert(
      entries.map(({ type, providerId, keyId, payload }) => ({ type, providerId, keyId, payload })),
      this.clock.now(),
    );
    await this.audit.record(...entries.map(auditEntry));
    this.#announce(entries);
  }

  /** Appends it unless there is one of its type in the bucket. */
  async appendOnce(entry: LedgerEntry, bucket: string): Promise<void> {
    if (!(await this.events.insertOnce(entry, bucket, this.clock.now()))) return;
    await this.audit.record(auditEntry(entry));
    this.#announce([entry]);
  }

  #announce(entries: readonly LedgerEntry[]): void {
    const { tenantId } = this.uow;
    this.uow.afterCommit(() => {
      if (entries.some(({ type }) => CHANGES_POSTURE.includes(type))) this.changes.changed(tenantId);
      for (const providerId of new Set(entries.map((entry) => entry.providerId))) {
        this.feed.announce(tenantId, providerId);
      }
    });
  }
}

export function auditEntry({ type, providerId, keyId, version, actorRef, audit, outcome }: LedgerEntry): AuditEntry {
  return {
    event: `provider_key.${type}`,
    outcome: outcome ?? 'success',
    resourceType: 'provider_key',
    resourceId: keyId,
    metadata: {
      provider_id: providerId,
      key_id: keyId,
      version,
      ...(actorRef === undefined ? {} : { actor_ref: actorRef }),
      ...audit,
    },
  };
}
