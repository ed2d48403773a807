import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { UNSET, type StoredLimits } from '../domain/limits.js';
import { PlanLimitsRepository } from '../persistence/plan-limits.repository.js';

const CHANNEL = 'quotas.limits';
const CAPACITY = 10_000;
const TTL_MS = 30_000;

interface Entry {
  /** Requests that come while the row is read wait for the same read. */
  readonly stored: Promise<StoredLimits>;
  /** On the monotonic clock. */
  readonly until: number;
}

/**
 * What was set for a tenant, remembered by each process for 10,000 tenants. A change evicts its tenant everywhere, and
 * where that message is lost, half a minute ends the entry.
 */
@Injectable()
export class LimitsCache implements OnModuleInit {
  readonly #entries = new LRUCache<string, Entry>({ max: CAPACITY });

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: PlanLimitsRepository,
    private readonly state: SharedState,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.state.subscribe(CHANNEL, (tenantId) => this.#entries.delete(tenantId));
  }

  /** In the tenant's context, and outside of any unit: another request's read may be waited for. */
  of(tenantId: string): Promise<StoredLimits> {
    const now = this.clock.monotonic();
    const known = this.#entries.get(tenantId);
    if (known !== undefined && known.until > now) return known.stored;
    const entry = { stored: this.#read(), until: now + TTL_MS };
    this.#entries.set(tenantId, entry);
    entry.stored.catch(() => {
      if (this.#entries.get(tenantId) === entry) this.#entries.delete(tenantId);
    });
    return entry.stored;
  }

  /** Best effort: the change is made, and no entry outlives its time. */
  async forget(tenantId: string): Promise<void> {
    this.#entries.delete(tenantId);
    try {
      await this.state.publish(CHANNEL, tenantId);
    } catch (error) {
      this.log.warn({ err: error, tenant_id: tenantId }, 'other processes may keep the former limits for a while');
    }
  }

  async #read(): Promise<StoredLimits> {
    return (await this.uow.read(() => this.rows.find())) ?? UNSET;
  }
}
