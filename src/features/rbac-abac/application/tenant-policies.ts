import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import { whenKnown, type Soon } from '../../../kernel/soon.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { TenantCache } from '../../../platform/tenant-cache/index.js';
import { PolicySet } from '../domain/policy-set.js';
import { PoliciesRepository } from '../persistence/policies.repository.js';
import { rbacAbacSettings, type RbacAbacSettings } from '../rbac-abac.settings.js';

/** Conditions that a process keeps, bytes as JSON. Compiled they take several times as much. */
const CAPACITY = 32 * 1024 * 1024;
const BYTES_OF_POLICY = 200;

interface Weighed {
  readonly set: PolicySet;
  readonly bytes: number;
}

/** The enabled policies of the context's tenant and the global ones, remembered by each process. */
@Injectable()
export class TenantPolicies implements OnModuleInit {
  readonly #sets: TenantCache<Weighed>;

  constructor(
    private readonly policies: PoliciesRepository,
    private readonly uow: UnitOfWork,
    state: SharedState,
    clock: Clock,
    log: Log,
    @Inject(rbacAbacSettings.token) { policyCacheTtlSeconds }: RbacAbacSettings,
  ) {
    this.#sets = new TenantCache(
      {
        channel: 'authz.policies.changed',
        ttlSeconds: policyCacheTtlSeconds,
        capacity: CAPACITY,
        weightOf: ({ bytes }) => bytes,
        load: () => this.#load(),
      },
      { uow, state, clock, log },
    );
  }

  async onModuleInit(): Promise<void> {
    await this.#sets.listen();
  }

  /** Not inside a transaction, which would wait for another request's lookup. */
  current(): Soon<PolicySet> {
    return whenKnown(this.#sets.current(), ({ set }) => set);
  }

  /** After a change: has every process read the policies again, of one tenant, or with null of all. */
  async forget(tenantId: string | null): Promise<void> {
    await (tenantId === null ? this.#sets.forgetAll() : this.#sets.forget(tenantId));
  }

  async #load(): Promise<Weighed> {
    const found = await this.uow.read(() => this.policies.inForce(this.uow.tenantId));
    const bytes = found.reduce((sum, policy) => sum + policy.bytes + BYTES_OF_POLICY, BYTES_OF_POLICY);
    return { set: PolicySet.of(found), bytes };
  }
}
