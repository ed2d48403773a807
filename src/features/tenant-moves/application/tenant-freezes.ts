import { Injectable, type OnModuleInit } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { Log } from '../../../kernel/log.js';
import type { Soon } from '../../../kernel/soon.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { TenantCache } from '../../../platform/tenant-cache/index.js';
import { ingestJob, sourceRemovalJob } from '../../ingestion/index.js';
import { reembedJob } from '../../retrieval/index.js';
import { FROZEN_STATES, type MigrationState } from '../domain/migration.js';
import { FreezesRepository, type Unfinished } from '../persistence/freezes.repository.js';

/** Jobs of a tenant that change what moves. They are not stopped: the last export waits for them. */
const WRITING_JOBS = [ingestJob.name, reembedJob.name, sourceRemovalJob.name];

/** Which tenants must not be changed, as every process remembers it. */
@Injectable()
export class TenantFreezes implements OnModuleInit {
  readonly #frozen: TenantCache<boolean>;

  constructor(
    private readonly freezes: FreezesRepository,
    private readonly uow: UnitOfWork,
    state: SharedState,
    private readonly clock: Clock,
    log: Log,
  ) {
    const load = async (): Promise<boolean> => (await uow.read(() => freezes.find())) !== undefined;
    const options = { channel: 'tenant.frozen', ttlSeconds: 30, capacity: 10_000, load };
    this.#frozen = new TenantCache(options, { uow, state, clock, log });
  }

  async onModuleInit(): Promise<void> {
    await this.#frozen.listen();
  }

  /** Whether the context's tenant is frozen. Not inside a unit of work. */
  current(): Soon<boolean> {
    return this.#frozen.current();
  }

  /** Freezes or thaws the tenant as the state of its migration wants it; in the transaction of that state, across tenants. */
  async follow(tenantId: string, migrationId: string, state: MigrationState): Promise<void> {
    if (FROZEN_STATES.includes(state)) {
      await this.freezes.impose(tenantId, { migrationId, frozenAt: this.clock.now() });
    } else {
      await this.freezes.lift(tenantId, FROZEN_STATES);
    }
  }

  /** After that transaction. */
  async forget(tenantId: string): Promise<void> {
    await this.#frozen.forget(tenantId);
  }

  /** What was begun before the freeze and has not ended, and for how long the tenant has been frozen. */
  async unfinished(tenantId: string): Promise<Unfinished & { readonly frozenSeconds: number }> {
    const now = this.clock.now();
    return inTenant(tenantId, () =>
      this.uow.read(async () => {
        const frozenAt = (await this.freezes.find())?.frozenAt ?? now;
        const unfinished = await this.freezes.unfinished(WRITING_JOBS, now);
        return { ...unfinished, frozenSeconds: (now.getTime() - frozenAt.getTime()) / 1000 };
      }),
    );
  }
}
