import { Inject, Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import type { AppError } from '../../../kernel/errors.js';
import { residencyErrors } from '../residency.errors.js';
import { residencySettings, type ResidencySettings } from '../residency.settings.js';
import { FailedOpen } from './failed-open.js';
import { LastKnownPins, type Refusing } from './last-known-pins.js';
import { TenantConfigs } from './tenant-configs.js';

/**
 * Whether a tenant may be served by this process: the one rule for requests, for jobs, and for tenants that an
 * operator names. While pins cannot be read it lets those pass of which nothing bad is known, or none at all where
 * RESIDENCY_FAIL_MODE says so.
 */
@Injectable()
export class ResidencyGate {
  /** Of this process, since it started. */
  mismatches = 0;

  constructor(
    private readonly configs: TenantConfigs,
    private readonly lastKnown: LastKnownPins,
    private readonly failedOpen: FailedOpen,
    @Inject(residencySettings.token) private readonly settings: ResidencySettings,
  ) {}

  /** In single-region mode nothing is asked, and nothing is read. */
  get isOpen(): boolean {
    return this.settings.region === undefined;
  }

  /**
   * Why the tenant is not served here, as `residency.mismatch`; undefined when it is. Not inside a unit of work.
   *
   * @throws residency.unavailable
   */
  async refusal(tenantId: string): Promise<AppError | undefined> {
    if (this.isOpen) return undefined;
    let refusing: Refusing;
    try {
      refusing = this.lastKnown.learn(tenantId, await inTenant(tenantId, () => this.configs.pin()));
    } catch (error) {
      const known = await this.lastKnown.find(tenantId);
      if (known === undefined && this.settings.failMode === 'closed') {
        throw residencyErrors['residency.unavailable']({ cause: error });
      }
      refusing = known?.refusing ?? null;
      if (refusing === null) this.failedOpen.note(tenantId, error, known !== undefined);
    }
    if (refusing === null) return undefined;
    this.mismatches += 1;
    return this.#mismatch(tenantId, refusing);
  }

  /** For whatever loads a tenant that no credential names. @throws residency.mismatch, residency.unavailable */
  async requireServed(tenantId: string): Promise<void> {
    const refusal = await this.refusal(tenantId);
    if (refusal !== undefined) throw refusal;
  }

  #mismatch(tenantId: string, pin: string): AppError {
    const { endpoints } = this.settings;
    const endpoint = Object.hasOwn(endpoints, pin) ? endpoints[pin] : undefined;
    return residencyErrors['residency.mismatch']({
      message: `tenant '${tenantId}' is pinned to region '${pin}'; this request did not reach the right region. Retry against the regional endpoint.`,
      details: { region: pin, ...(endpoint === undefined ? {} : { endpoint }) },
    });
  }
}
