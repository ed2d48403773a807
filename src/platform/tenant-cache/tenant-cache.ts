import { LRUCache } from 'lru-cache';
import { tryContext } from '../../kernel/context.js';
import type { Log } from '../../kernel/log.js';
import type { Soon } from '../../kernel/soon.js';
import type { Clock } from '../../kernel/time.js';
import { dbErrors, type UnitOfWork } from '../db/index.js';
import type { SharedState } from '../shared-state/index.js';

/** No tenant has this id. */
const ALL = '*';

export interface TenantCacheOptions<T> {
  /** Of the messages by which processes tell each other of changes. */
  readonly channel: string;
  /** How long a value is kept when no message ends it; 0 keeps none. */
  readonly ttlSeconds: number;
  /** What all values together may weigh, and what one weighs: at least 1. A value that is too heavy is not kept. */
  readonly capacity: number;
  readonly weightOf?: (value: T) => number;
  /** When a value ends by itself; null when it does not. */
  readonly endOf?: (value: T) => Date | null;
  /** Finds the value of the context's tenant. */
  readonly load: () => Promise<T>;
}

export interface TenantCacheParts {
  readonly uow: UnitOfWork;
  readonly state: SharedState;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry<T> {
  readonly value: T;
  /** Monotonic ms: a wall clock that is set back keeps nothing alive. */
  readonly freshUntil: number;
  /** Wall clock, ms. */
  readonly endsAt: number;
}

/**
 * One value for each tenant, remembered by each process. A change evicts its tenant everywhere, and where that message
 * is lost the lifetime of the entry ends it.
 */
export class TenantCache<T> {
  readonly #entries: LRUCache<string, Entry<T>>;
  /** Those that run; requests that come meanwhile wait for the same one. */
  readonly #lookups = new Map<string, Promise<T>>();

  constructor(
    private readonly options: TenantCacheOptions<T>,
    private readonly parts: TenantCacheParts,
  ) {
    this.#entries = new LRUCache({
      maxSize: options.capacity,
      sizeCalculation: ({ value }) => options.weightOf?.(value) ?? 1,
    });
  }

  async listen(): Promise<void> {
    await this.parts.state.subscribe(this.options.channel, (tenantId) => this.#evict(tenantId));
  }

  /**
   * At once when it is remembered. Not inside a transaction, which would wait for another request's lookup: ask first,
   * and use what this answers.
   *
   * @throws AUTHZ_RLS_GUARD_FAILED without a tenant in the context; SERVICE_UNAVAILABLE when the database is away.
   */
  current(): Soon<T> {
    const tenantId = tryContext()?.tenantId;
    if (tenantId === undefined) throw dbErrors.AUTHZ_RLS_GUARD_FAILED();
    const { uow, clock } = this.parts;
    if (uow.inTransaction) throw new Error(`${this.options.channel}: looked up before a transaction, not inside it.`);
    const entry = this.#entries.get(tenantId);
    if (entry !== undefined && entry.freshUntil > clock.monotonic() && entry.endsAt > clock.now().getTime()) {
      return entry.value;
    }
    return this.#lookups.get(tenantId) ?? this.#lookUp(tenantId);
  }

  /** Has every process look the tenant up again. Best effort: the change is made, and no entry outlives its time. */
  async forget(tenantId: string): Promise<void> {
    this.#evict(tenantId);
    const { state, log } = this.parts;
    const { channel } = this.options;
    try {
      await state.publish(channel, tenantId);
    } catch (error) {
      log.warn({ err: error, channel, tenant_id: tenantId }, 'other processes may keep what was before for a while');
    }
  }

  /** The same for every tenant. */
  async forgetAll(): Promise<void> {
    await this.forget(ALL);
  }

  #lookUp(tenantId: string): Promise<T> {
    // Overtaken by an eviction, a lookup may have seen what was before: it answers those who wait, and is forgotten.
    const isCurrent = (): boolean => this.#lookups.get(tenantId) === lookup;
    const lookup = this.options
      .load()
      .then((value) => {
        if (isCurrent()) this.#remember(tenantId, value);
        return value;
      })
      .finally(() => {
        if (isCurrent()) this.#lookups.delete(tenantId);
      });
    this.#lookups.set(tenantId, lookup);
    return lookup;
  }

  #remember(tenantId: string, value: T): void {
    const { ttlSeconds, endOf } = this.options;
    if (ttlSeconds === 0) return;
    const freshUntil = this.parts.clock.monotonic() + ttlSeconds * 1000;
    this.#entries.set(tenantId, { value, freshUntil, endsAt: endOf?.(value)?.getTime() ?? Infinity });
  }

  #evict(tenantId: string): void {
    if (tenantId === ALL) {
      this.#entries.clear();
      this.#lookups.clear();
    }
    this.#entries.delete(tenantId);
    this.#lookups.delete(tenantId);
  }
}
