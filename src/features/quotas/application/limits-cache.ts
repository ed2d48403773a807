import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import type { Soon } from '../../../kernel/soon.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { TenantCache } from '../../../platform/tenant-cache/index.js';
import { UNSET, type StoredLimits } from '../domain/limits.js';
import { PlanLimitsRepository } from '../persistence/plan-limits.repository.js';

/** Tenants. */
const CAPACITY = 10_000;
const TTL_SECONDS = 30;

/** What was set for the tenant of the context, remembered by each process. */
@Injectable()
export class LimitsCache implements OnModuleInit {
  readonly #limits: TenantCache<StoredLimits>;

  constructor(rows: PlanLimitsRepository, uow: UnitOfWork, state: SharedState, clock: Clock, log: Log) {
    const load = async (): Promise<StoredLimits> => (await uow.read(() => rows.find())) ?? UNSET;
    this.#limits = new TenantCache(
      { channel: 'quotas.limits', ttlSeconds: TTL_SECONDS, capacity: CAPACITY, load },
      { uow, state, clock, log },
    );
  }

  async onModuleInit(): Promise<void> {
    await this.#limits.listen();
  }

  /** Not inside a transaction. @throws as TenantCache does. */
  current(): Soon<StoredLimits> {
    return this.#limits.current();
  }

  forget(tenantId: string): Promise<void> {
    return this.#limits.forget(tenantId);
  }
}
