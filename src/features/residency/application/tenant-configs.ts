import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import type { Soon } from '../../../kernel/soon.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { TenantCache } from '../../../platform/tenant-cache/index.js';
import type { Pin } from '../domain/pin.js';
import { tenantConfigOf, type TenantConfig } from '../domain/tenant-config.js';
import { TenantConfigsRepository } from '../persistence/tenant-configs.repository.js';
import { residencySettings, type ResidencySettings } from '../residency.settings.js';

/** Channel of the messages that name a tenant whose configuration was changed. */
export const CONFIG_CHANGED = 'tenant.config.changed';

/** Tenants that a process remembers, and for how long where the message of a change is lost. */
const CAPACITY = 10_000;
const TTL_SECONDS = 30;

/** The configuration of the context's tenant, remembered by each process. */
@Injectable()
export class TenantConfigs implements OnModuleInit {
  readonly #configs: TenantCache<TenantConfig>;
  /** Pins as the gate may see them; undefined when it reads each anew. */
  readonly #pins: TenantCache<{ readonly pin: Pin }> | undefined;

  constructor(
    private readonly stored: TenantConfigsRepository,
    private readonly uow: UnitOfWork,
    state: SharedState,
    clock: Clock,
    log: Log,
    @Inject(residencySettings.token) { cacheTtlSeconds }: ResidencySettings,
  ) {
    const parts = { uow, state, clock, log };
    const options = { channel: CONFIG_CHANGED, capacity: CAPACITY };
    this.#configs = new TenantCache({ ...options, ttlSeconds: TTL_SECONDS, load: () => this.#load() }, parts);
    if (cacheTtlSeconds > 0) {
      const load = async (): Promise<{ pin: Pin }> => ({ pin: (await this.#load()).region });
      this.#pins = new TenantCache({ ...options, ttlSeconds: cacheTtlSeconds, load }, parts);
    }
  }

  async onModuleInit(): Promise<void> {
    await this.#configs.listen();
    await this.#pins?.listen();
  }

  /** Not inside a unit of work. */
  current(): Soon<TenantConfig> {
    return this.#configs.current();
  }

  /** For the gate: at most RESIDENCY_CACHE_TTL_S old, so that a request after a change obeys it. */
  async pin(): Promise<Pin> {
    return this.#pins === undefined ? (await this.#load()).region : (await this.#pins.current()).pin;
  }

  /** After a change. */
  async forget(tenantId: string): Promise<void> {
    await this.#pins?.forget(tenantId);
    await this.#configs.forget(tenantId);
  }

  async #load(): Promise<TenantConfig> {
    const stored = await this.uow.read(() => this.stored.find());
    return tenantConfigOf(stored?.config ?? {});
  }
}
