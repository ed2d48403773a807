import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext, inTenant } from '../../../kernel/context.js';
import type { AppError } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { residencyErrors } from '../residency.errors.js';
import { residencySettings, type ResidencySettings } from '../residency.settings.js';
import { LastKnownPins, type Refusing } from './last-known-pins.js';
import { MinuteCounts } from './minute-counts.js';
import { TenantConfigs } from './tenant-configs.js';

/**
 * Whether a tenant may be served by this process: the one rule for requests, for jobs, and for tenants that an
 * operator names. While pins cannot be read it lets those pass of which nothing bad is known, or none at all where
 * RESIDENCY_FAIL_MODE says so.
 */
@Injectable()
export class ResidencyGate {
  /** Of this process, since it started. */
  readonly totals = { mismatches: 0, failedOpen: 0 };
  readonly #failures: MinuteCounts;

  constructor(
    private readonly configs: TenantConfigs,
    private readonly lastKnown: LastKnownPins,
    private readonly audit: AuditTrail,
    private readonly log: Log,
    clock: Clock,
    @Inject(residencySettings.token) private readonly settings: ResidencySettings,
  ) {
    this.#failures = new MinuteCounts(clock);
  }

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
      if (refusing === null) this.#failOpen(tenantId, error);
    }
    if (refusing === null) return undefined;
    this.totals.mismatches += 1;
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

  #failOpen(tenantId: string, error: unknown): void {
    const { path } = currentContext();
    this.totals.failedOpen += 1;
    this.log.warn({ err: error, tenant_id: tenantId, path }, 'residency_check_failed_failing_open');
    if (this.#failures.add(tenantId).count > 1) return;
    this.audit.note({
      event: 'residency.check_failed_open',
      outcome: 'failure',
      metadata: { path: path ?? null, error_class: error instanceof Error ? error.name : typeof error },
    });
  }
}
