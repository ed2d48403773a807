import { Injectable } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext, inTenant } from '../../../kernel/context.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { authErrors, Operators } from '../../auth/index.js';
import { TENANT_ID } from '../../tenants/index.js';
import { shownPin, type Pin } from '../domain/pin.js';
import { loosensReceipts, mergeConfig, OPERATOR_KEYS, type ConfigChanges } from '../domain/tenant-config.js';
import { TenantConfigsRepository } from '../persistence/tenant-configs.repository.js';
import { residencyErrors } from '../residency.errors.js';
import { PlacesOutside, type PinWarning } from './places-outside.js';
import { Residency } from './residency.js';

export interface ConfiguredTenant {
  readonly tenantId: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** 0, and no times, for a tenant that was never configured. */
  readonly version: number;
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
}

export interface ConfigPatch {
  readonly changes: ConfigChanges;
  /** Pin also to a region that this server does not serve. */
  readonly force: boolean;
  /** Of the configuration that the caller has seen; 0 when there must be none yet. */
  readonly expectedVersion: number | undefined;
  readonly reason: string | undefined;
}

/** Reads and changes the configuration of any tenant: who may name which is decided by the pipeline. */
@Injectable()
export class ConfigureTenant {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly stored: TenantConfigsRepository,
    private readonly residency: Residency,
    private readonly outside: PlacesOutside,
    private readonly operators: Operators,
    private readonly audit: AuditTrail,
  ) {}

  /** The tenant need not exist here. @throws NOT_FOUND for what cannot be a tenant's id. */
  async get(tenantId: string): Promise<ConfiguredTenant> {
    return inTenant(requireTenantId(tenantId), async () => {
      const stored = await this.uow.read(() => this.stored.find());
      return { tenantId, ...(stored ?? { config: {}, version: 0, createdAt: null, updatedAt: null }) };
    });
  }

  /**
   * Changes what is given. The version grows by one, also when everything stays as it is.
   *
   * @returns the configuration now, and what the new pin leaves outside its zone.
   * @throws NOT_FOUND, PLATFORM_OPERATOR_REQUIRED, residency.invalid_pin, TENANT_CONFIG_VERSION_CONFLICT
   */
  async patch(tenantId: string, patch: ConfigPatch): Promise<ConfiguredTenant & { warnings: readonly PinWarning[] }> {
    requireTenantId(tenantId);
    this.#requireRight(patch);
    return inTenant(tenantId, async () => {
      this.#requireSafePin(tenantId, patch);
      const changed = await this.uow.run(() => this.#change(tenantId, patch));
      await this.residency.changed(tenantId, changed.config['region']);
      return { tenantId, ...changed };
    });
  }

  #requireRight({ changes, force }: ConfigPatch): void {
    if (this.#isOperated()) return;
    if (force || OPERATOR_KEYS.some((key) => changes[key] !== undefined)) {
      throw authErrors.PLATFORM_OPERATOR_REQUIRED({
        message: `Only an admin of an operator tenant may change ${OPERATOR_KEYS.join(', ')} or force a pin. Ask whoever operates this installation.`,
      });
    }
  }

  #isOperated(): boolean {
    const { principal } = currentContext();
    return principal === undefined || this.operators.has(principal, 'operator');
  }

  /** The only text that names the region of this server, to operators: it is their mistake that it explains. */
  #requireSafePin(tenantId: string, { changes: { region }, force, reason }: ConfigPatch): void {
    const { zone } = this.residency;
    if (region === undefined || region === '' || zone === undefined || region === zone || force) return;
    this.audit.note({
      event: 'residency.pin.refused',
      outcome: 'failure',
      resourceType: 'tenant',
      resourceId: tenantId,
      errorCode: 'residency.invalid_pin',
      metadata: { to: region, forced: false, reason: reason ?? null },
    });
    throw residencyErrors['residency.invalid_pin']({
      message: `this server is running in region '${zone}'; pinning a tenant to '${region}' from here would lock the tenant out (every subsequent request would 403). Patch the pin from a server running in the target region, or set STATEWAVE_REGION to match if this server should serve it.`,
    });
  }

  async #change(
    tenantId: string,
    { changes, force, expectedVersion, reason }: ConfigPatch,
  ): Promise<Omit<ConfiguredTenant, 'tenantId'> & { warnings: readonly PinWarning[] }> {
    const before = await this.stored.lock();
    if (loosensReceipts(before.config, changes) && !this.#isOperated()) {
      throw authErrors.PLATFORM_OPERATOR_REQUIRED({
        message:
          'Only an admin of an operator tenant may have fewer receipts written while receipt_enforcement is required. Ask whoever operates this installation.',
      });
    }
    if (expectedVersion !== undefined && expectedVersion !== before.version) {
      throw conflict(expectedVersion, before.version);
    }
    const saved = await this.stored.save(mergeConfig(before.config, changes));
    const [from, to] = [before.config['region'], saved.config['region']];
    const about = { outcome: 'success', resourceType: 'tenant', resourceId: tenantId } as const;
    const updated: AuditEntry = {
      ...about,
      event: 'tenant.config.updated',
      metadata: { updated_keys: Object.keys(changes).sort(), version: saved.version },
    };
    const repinned: AuditEntry = {
      ...about,
      event: 'residency.pin.changed',
      metadata: {
        from: named(from),
        to: named(to),
        forced: force,
        reason: reason ?? null,
        config_version: saved.version,
      },
    };
    await this.audit.record(updated, ...(from === to ? [] : [repinned]));
    const warnings = changes.region ? await this.outside.found(changes.region) : [];
    return { ...saved, warnings };
  }
}

function requireTenantId(tenantId: string): string {
  if (!TENANT_ID.test(tenantId)) throw commonErrors.NOT_FOUND({ message: 'No such tenant.' });
  return tenantId;
}

function named(pin: Pin): string | null {
  return pin === undefined || pin === null ? null : shownPin(pin);
}

function conflict(expected: number, current: number): Error {
  const found = current === 0 ? 'got 0 (no row exists yet)' : `current is ${current}`;
  return residencyErrors.TENANT_CONFIG_VERSION_CONFLICT({
    message: `version mismatch: expected ${expected}, ${found}`,
    details: { expected_version: expected, version: current },
  });
}
