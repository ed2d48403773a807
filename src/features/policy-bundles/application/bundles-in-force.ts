import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { TenantCache } from '../../../platform/tenant-cache/index.js';
import type { Bundle } from '../domain/bundle.js';
import { PolicyBundlesRepository } from '../persistence/policy-bundles.repository.js';
import { parseBundle } from './parse-bundle.js';

/** What a process keeps, characters of YAML; parsed it takes several times as much. */
const CAPACITY = 16 * 1024 * 1024;
const LENGTH_OF_NONE = 100;
const TTL_SECONDS = 60;

/** The bundle that the context's tenant has activated, or else the one for all tenants; remembered by each process. */
@Injectable()
export class BundlesInForce implements OnModuleInit {
  readonly #bundles: TenantCache<{ readonly bundle: Bundle | undefined }>;

  constructor(
    private readonly stored: PolicyBundlesRepository,
    private readonly uow: UnitOfWork,
    state: SharedState,
    clock: Clock,
    log: Log,
  ) {
    this.#bundles = new TenantCache(
      {
        channel: 'policy.bundles.changed',
        ttlSeconds: TTL_SECONDS,
        capacity: CAPACITY,
        weightOf: ({ bundle }) => (bundle?.yaml.length ?? 0) + LENGTH_OF_NONE,
        load: () => this.#load(),
      },
      { uow, state, clock, log },
    );
  }

  async onModuleInit(): Promise<void> {
    await this.#bundles.listen();
  }

  /** Not inside a unit of work. A failure is not remembered. */
  async current(): Promise<Bundle | undefined> {
    return (await this.#bundles.current()).bundle;
  }

  /** After a change: has every process look again, for one tenant, or with null for all. */
  async forget(tenantId: string | null): Promise<void> {
    await (tenantId === null ? this.#bundles.forgetAll() : this.#bundles.forget(tenantId));
  }

  async #load(): Promise<{ readonly bundle: Bundle | undefined }> {
    const stored = await this.uow.read(() => this.stored.inForce(this.uow.tenantId));
    if (stored === undefined) return { bundle: undefined };
    const result = parseBundle(stored.yaml);
    if (!result.ok) throw new Error(`The stored policy bundle ${stored.hash} is not valid: ${result.reason}`);
    return { bundle: result.bundle };
  }
}
