import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import { modelEndpoints, modelSettings, type ModelSettings } from '../../../platform/model-gateway/index.js';
import type { DataPlaneMode } from '../domain/data-plane.js';
import type { Pin } from '../domain/pin.js';
import type { TenantConfig } from '../domain/tenant-config.js';
import { residencyErrors } from '../residency.errors.js';
import { residencySettings, type ResidencySettings } from '../residency.settings.js';
import { FailedOpen } from './failed-open.js';
import { LastKnownPins } from './last-known-pins.js';
import { Placement, UNRESTRICTED } from './placement.js';
import { TenantConfigs } from './tenant-configs.js';

const MOST_TENANTS = 10_000;

/** Where this process is, and where the context's tenant has to be. */
@Injectable()
export class Residency {
  readonly #endpoints;
  readonly #placements = new LRUCache<string, Placement>({ max: MOST_TENANTS });

  constructor(
    private readonly configs: TenantConfigs,
    private readonly lastKnown: LastKnownPins,
    private readonly failedOpen: FailedOpen,
    private readonly audit: AuditTrail,
    @Inject(residencySettings.token) private readonly settings: ResidencySettings,
    @Inject(modelSettings.token) models: ModelSettings,
  ) {
    this.#endpoints = modelEndpoints(models);
  }

  /** Zone of this process; undefined in single-region mode. Never on a wire, but in receipts. */
  get zone(): string | undefined {
    return this.settings.region;
  }

  /** Of this process. Never on a wire, but in receipts. */
  get site(): string {
    return this.settings.site;
  }

  /** Of the language model; null when it is not known. */
  get llmRegion(): string | null {
    return this.#endpoints.llm.region ?? null;
  }

  get providerMode(): DataPlaneMode {
    return this.settings.providerMode;
  }

  /** Zone of a site or cloud region. Never for comparing a pin with the zone of this process. */
  zoneOf(region: string): string {
    const { regionMap } = this.settings;
    return Object.hasOwn(regionMap, region) ? (regionMap[region] ?? region) : region;
  }

  /** Pin of the context's tenant; null without a valid one. Not inside a unit of work. */
  async pin(): Promise<string | null> {
    const { region } = await this.configs.current();
    return isPinned(region) ? region : null;
  }

  /**
   * What may be where for the context's tenant, as of now; as it was last, while that cannot be read. Not inside a unit
   * of work.
   *
   * @throws residency.unavailable for a tenant that was never seen, where RESIDENCY_FAIL_MODE is closed.
   */
  async placement(): Promise<Placement> {
    const { region: zone, failMode } = this.settings;
    if (zone === undefined) return UNRESTRICTED;
    const { tenantId = '' } = currentContext();
    try {
      const placement = this.#placementOf(zone, await this.configs.current());
      this.#placements.set(tenantId, placement);
      return placement;
    } catch (error) {
      const known = this.#placements.get(tenantId);
      if (known === undefined && failMode === 'closed')
        throw residencyErrors['residency.unavailable']({ cause: error });
      this.failedOpen.note(tenantId, error, known !== undefined);
      return known ?? UNRESTRICTED;
    }
  }

  /** After a change of a tenant's configuration: every process obeys it from the next request on. */
  async changed(tenantId: string, pin: Pin): Promise<void> {
    this.lastKnown.learn(tenantId, pin, true);
    await this.configs.forget(tenantId);
  }

  #placementOf(zone: string, { region, egressMode = this.settings.egressMode }: TenantConfig): Placement {
    if (!isPinned(region)) return UNRESTRICTED;
    const { providerMode } = this.settings;
    const facts = { zone, pin: region, providerMode, egressMode, endpoints: this.#endpoints };
    return new Placement({ ...facts, zoneOf: (name) => this.zoneOf(name) }, this.audit);
  }
}

function isPinned(region: Pin): region is string {
  return typeof region === 'string' && region !== '';
}
