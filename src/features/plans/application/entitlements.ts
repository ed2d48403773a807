import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { tryContext } from '../../../kernel/context.js';
import { Log } from '../../../kernel/log.js';
import type { PlanFeature } from '../../../kernel/plan-features.js';
import { Clock } from '../../../kernel/time.js';
import { dbErrors, UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { plansSettings, type PlansSettings } from '../plans.settings.js';
import type { TenantPlan } from './tenant-plan.js';
import { TenantPlans } from './tenant-plans.js';

const CHANNEL = 'plans.changed';
const CAPACITY = 10_000;

interface Entry {
  readonly plan: TenantPlan;
  /** Wall clock, ms. The earlier of the cache's lifetime and the end of the assignment. */
  readonly until: number;
}

/**
 * What the tenant of the context may use, remembered by each process. Of at most 10,000 tenants; a change evicts its
 * tenant everywhere, and where that message is lost the lifetime of the entry ends it.
 */
@Injectable()
export class Entitlements implements OnModuleInit {
  readonly #entries = new LRUCache<string, Entry>({ max: CAPACITY });
  /** Those that run; requests that come meanwhile wait for the same one. */
  readonly #lookups = new Map<string, Promise<TenantPlan>>();

  constructor(
    private readonly plans: TenantPlans,
    private readonly uow: UnitOfWork,
    private readonly state: SharedState,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(plansSettings.token) private readonly settings: PlansSettings,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.state.subscribe(CHANNEL, (tenantId) => this.#evict(tenantId));
  }

  /** @throws FEATURE_NOT_ENABLED, and as `current` does. */
  async require(feature: PlanFeature): Promise<void> {
    (await this.current()).require(feature);
  }

  /**
   * Not inside a transaction, which would wait for another request's lookup: ask first, and use what this answers.
   *
   * @throws AUTHZ_RLS_GUARD_FAILED without a tenant in the context; SERVICE_UNAVAILABLE when the database is away.
   */
  async current(): Promise<TenantPlan> {
    const tenantId = tryContext()?.tenantId;
    if (tenantId === undefined) throw dbErrors.AUTHZ_RLS_GUARD_FAILED();
    if (this.uow.inTransaction) throw new Error('Entitlements are looked up before a transaction, not inside it.');
    const entry = this.#entries.get(tenantId);
    if (entry !== undefined && entry.until > this.clock.now().getTime()) return entry.plan;
    return this.#lookups.get(tenantId) ?? this.#lookUp(tenantId);
  }

  /** Has every process look the tenant up again. Best effort: the change is made, and no entry outlives its time. */
  async forget(tenantId: string): Promise<void> {
    this.#evict(tenantId);
    try {
      await this.state.publish(CHANNEL, tenantId);
    } catch (error) {
      this.log.warn({ err: error, tenant_id: tenantId }, 'other processes may keep the former plan for a while');
    }
  }

  #lookUp(tenantId: string): Promise<TenantPlan> {
    // Overtaken by an eviction, a lookup may have seen what was before: it answers those who wait, and is forgotten.
    const isCurrent = (): boolean => this.#lookups.get(tenantId) === lookup;
    const lookup = this.plans
      .load()
      .then((plan) => {
        if (isCurrent()) this.#remember(tenantId, plan);
        return plan;
      })
      .finally(() => {
        if (isCurrent()) this.#lookups.delete(tenantId);
      });
    this.#lookups.set(tenantId, lookup);
    return lookup;
  }

  #remember(tenantId: string, plan: TenantPlan): void {
    if (this.settings.cacheTtlSeconds === 0) return;
    const ttl = this.clock.now().getTime() + this.settings.cacheTtlSeconds * 1000;
    this.#entries.set(tenantId, { plan, until: Math.min(ttl, plan.facts.effectiveTo?.getTime() ?? Infinity) });
  }

  #evict(tenantId: string): void {
    this.#entries.delete(tenantId);
    this.#lookups.delete(tenantId);
  }
}
