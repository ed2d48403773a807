import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { KeyState } from '../domain/binding.js';
import { bucketOf, slaEventOf } from '../domain/rotation-sla.js';
import { RotationSlaRepository, type DueEvent, type DueKey } from '../persistence/rotation-sla.repository.js';
import { providerKeysSettings, type ProviderKeysSettings } from '../provider-keys.settings.js';
import { KeyEventFeed } from './key-event-feed.js';
import { auditEntry } from './key-ledger.js';

const BATCH = 500;
const HOUR_MS = 3_600_000;
/** Keys that each list of a report holds at most; the ledgers have all. */
const REPORTED = 1000;

export interface SlaItem {
  readonly provider_id: string;
  readonly provider_key_id: string;
  readonly rotation_due_at: Date;
  readonly state: KeyState;
  readonly event_emitted: boolean;
}

export interface SlaReport {
  readonly evaluated_at: Date;
  readonly approaching: readonly SlaItem[];
  readonly breached: readonly SlaItem[];
}

/** Announces the keys of all tenants that have to be rotated soon, and those that were not rotated in time. */
@Injectable()
export class RotationSla {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: RotationSlaRepository,
    private readonly audit: AuditTrail,
    private readonly feed: KeyEventFeed,
    private readonly clock: Clock,
    @Inject(providerKeysSettings.token) private readonly settings: ProviderKeysSettings,
  ) {}

  /** In small transactions. While another process announces, this one does nothing more; so each event comes once. */
  async scan(): Promise<SlaReport> {
    const now = this.clock.now();
    const [approaching, breached]: [SlaItem[], SlaItem[]] = [[], []];
    for (let last: DueKey | undefined; ;) {
      const batch = await this.uow.acrossTenants('keyRotations', () => this.#announceSome(now, last));
      for (const { event, emitted } of batch) {
        const list = event.type === 'rotation_sla_breached' ? breached : approaching;
        if (list.length < REPORTED) list.push(itemOf(event, emitted));
      }
      if (batch.length < BATCH) return { evaluated_at: now, approaching, breached };
      last = batch.at(-1)?.event.key;
    }
  }

  async #announceSome(now: Date, last: DueKey | undefined): Promise<{ event: DueEvent; emitted: boolean }[]> {
    const { rotationWarningHours, rotationDedupeHours } = this.settings;
    if (!(await this.keys.lock())) return [];
    const due = await this.keys.due(new Date(now.getTime() + rotationWarningHours * HOUR_MS), BATCH, last);
    const events = due.flatMap((key) => this.#eventOf(key, now));
    if (events.length === 0) return [];
    const since = new Date(now.getTime() - rotationDedupeHours * HOUR_MS);
    const announced = await this.keys.announce(events, now, since, bucketOf(now, rotationDedupeHours));
    const all = events.map((event) => ({ event, emitted: announced.has(event.key.keyId) }));
    await this.#tell(all.flatMap(({ event, emitted }) => (emitted ? [event] : [])));
    return all;
  }

  #eventOf(key: DueKey, now: Date): DueEvent[] {
    const { rotationWarningHours } = this.settings;
    const type = slaEventOf(key.dueAt, now, rotationWarningHours);
    if (type === undefined) return [];
    const payload = {
      rotation_due_at: key.dueAt,
      state: key.state,
      evaluated_at: now,
      ...(type === 'rotation_sla_warning' ? { warning_window_seconds: rotationWarningHours * 3600 } : {}),
    };
    return [{ key, type, payload }];
  }

  async #tell(events: readonly DueEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.audit.record(
      ...events.map(({ key, type, payload }) => ({
        ...auditEntry({ ...key, type, payload, outcome: 'failure' }),
        actor: { type: 'system', tenantId: key.tenantId },
      })),
    );
    const topics = new Map(events.map(({ key }) => [`${key.tenantId} ${key.providerId}`, key]));
    this.uow.afterCommit(() => {
      for (const { tenantId, providerId } of topics.values()) this.feed.announce(tenantId, providerId);
    });
  }
}

function itemOf({ key }: DueEvent, emitted: boolean): SlaItem {
  return {
    provider_id: key.providerId,
    provider_key_id: key.keyId,
    rotation_due_at: key.dueAt,
    state: key.state,
    event_emitted: emitted,
  };
}
