import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext, inTenant } from '../../../kernel/context.js';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { authErrors, Operators } from '../../auth/index.js';
import { ResidencyGate } from '../../residency/index.js';
import { unknownCallerTypes, type Bundle } from '../domain/bundle.js';
import { PolicyBundlesRepository, type BundleSummary } from '../persistence/policy-bundles.repository.js';
import { policyBundlesErrors } from '../policy-bundles.errors.js';
import { BundlesInForce } from './bundles-in-force.js';
import { parseBundle } from './parse-bundle.js';

export type { BundleSummary };

/** A tenant, or null for all tenants that have no bundle active. */
export type Scope = string | null;

export interface FoundBundle extends BundleSummary {
  readonly bundle: Bundle;
}

export interface UploadedBundle extends BundleSummary {
  /** What its rules say that can never hold. */
  readonly warnings: readonly string[];
}

interface PageOf {
  readonly limit: number;
  readonly cursor: string | undefined;
}

/**
 * Life of bundles. Admins change those of their tenant, operators also those of other tenants that are served here, and
 * of all tenants; everybody's admins read their own and those of all. Every change is audited with it, and in force in
 * every process when it is answered.
 */
@Injectable()
export class PolicyBundles {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly bundles: PolicyBundlesRepository,
    private readonly inForce: BundlesInForce,
    private readonly operators: Operators,
    private readonly residency: ResidencyGate,
    private readonly audit: AuditTrail,
    private readonly ids: Ids,
  ) {}

  /**
   * Stores a bundle. One that the scope has already stays as it is, active or not, unless it is to be activated.
   *
   * @throws POLICY_BUNDLE_INVALID; PLATFORM_OPERATOR_REQUIRED, NOT_FOUND for a scope that is not the caller's;
   * residency.mismatch.
   */
  async upload(scope: Scope, yaml: string, activate: boolean): Promise<UploadedBundle> {
    return this.#inScope(scope, async () => {
      const result = parseBundle(yaml);
      if (!result.ok) throw policyBundlesErrors.POLICY_BUNDLE_INVALID({ message: result.reason });
      const { bundle } = result;
      const summary = await this.#change(scope, async () => {
        const isNew = await this.bundles.insert(scope, this.ids.uuid(), bundle);
        const stored = await this.#find(scope, bundle.hash);
        if (isNew) await this.#record('uploaded', stored);
        return activate ? this.#activate(stored) : stored;
      });
      return { ...summary, warnings: unknownCallerTypes(bundle) };
    });
  }

  /** The others of the scope are active no more. @throws NOT_FOUND; PLATFORM_OPERATOR_REQUIRED; residency.mismatch */
  async activate(scope: Scope, hash: string): Promise<BundleSummary> {
    return this.#inScope(scope, () => this.#change(scope, async () => this.#activate(await this.#find(scope, hash))));
  }

  /**
   * Newest first. @throws INVALID_CURSOR
   *
   * @param tenantId whose; absent, those of the context's tenant and those of all tenants.
   */
  async list(tenantId: string | undefined, page: PageOf): Promise<Page<BundleSummary>> {
    return this.#read(tenantId, (own) => this.bundles.list(this.uow.tenantId, { ...page, global: !own }));
  }

  /** See `list`. @throws NOT_FOUND */
  async get(tenantId: string | undefined, hash: string): Promise<FoundBundle> {
    const stored = await this.#read(tenantId, (own) => this.bundles.findFor(this.uow.tenantId, hash, own));
    if (stored === undefined) throw notFound();
    return { ...stored, bundle: parsed(stored.yaml) };
  }

  /** The active one of that tenant; absent, the one that is in force for the context's. */
  async active(tenantId: string | undefined): Promise<FoundBundle | undefined> {
    const stored = await this.#read(tenantId, (own) => this.bundles.inForce(this.uow.tenantId, own));
    return stored && { ...stored, bundle: parsed(stored.yaml) };
  }

  /** Has every process read again what is in force. */
  async reload(): Promise<void> {
    await this.inForce.forget(this.#isOperator() ? null : ownTenant());
  }

  async #read<T>(tenantId: string | undefined, read: (own: boolean) => Promise<T>): Promise<T> {
    if (tenantId === undefined) return this.uow.read(() => read(false));
    return inTenant(tenantId, () => this.uow.read(() => read(true)));
  }

  async #change<T>(scope: Scope, change: () => Promise<T>): Promise<T> {
    const result = await (scope === null ? this.uow.acrossTenants('policyBundles', change) : this.uow.run(change));
    await this.inForce.forget(scope);
    return result;
  }

  async #find(scope: Scope, hash: string): Promise<BundleSummary> {
    const stored = await this.bundles.find(scope, hash);
    if (stored === undefined) throw notFound();
    return stored;
  }

  async #activate(stored: BundleSummary): Promise<BundleSummary> {
    if (stored.active) return stored;
    await this.bundles.activate(stored.tenantId, stored.hash);
    await this.#record('activated', stored);
    return { ...stored, active: true };
  }

  /** Does work in the tenant whose bundles it is about. To whoever is no operator another one does not exist. */
  async #inScope<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    if (scope === ownTenant()) return work();
    if (scope === null) {
      this.#requireOperator();
      return work();
    }
    if (!this.#isOperator()) throw noTenant();
    await this.residency.requireServed(scope);
    return inTenant(scope, async () => {
      if (!(await this.uow.read(() => this.bundles.tenantExists()))) throw noTenant();
      return work();
    });
  }

  #requireOperator(): void {
    if (this.#isOperator()) return;
    const errorCode = 'PLATFORM_OPERATOR_REQUIRED';
    this.audit.note({
      event: 'rbac.forbidden',
      outcome: 'failure',
      errorCode,
      metadata: { required_authority: 'operator' },
    });
    throw authErrors[errorCode]({
      message:
        'Only operators change the bundles of all tenants. Send the tenant_id of your tenant for one of its own.',
    });
  }

  #isOperator(): boolean {
    const { principal } = currentContext();
    return principal !== undefined && this.operators.has(principal, 'operator');
  }

  async #record(what: 'uploaded' | 'activated', { hash, tenantId, ruleCount }: BundleSummary): Promise<void> {
    await this.audit.record({
      event: `policy_bundle.${what}`,
      outcome: 'success',
      resourceType: 'policy_bundle',
      resourceId: hash,
      metadata: { bundle_hash: hash, scope: tenantId === null ? 'global' : 'tenant', rule_count: ruleCount },
    });
  }
}

function ownTenant(): string {
  return currentContext().tenantId ?? '';
}

function parsed(yaml: string): Bundle {
  const result = parseBundle(yaml);
  if (!result.ok) throw policyBundlesErrors.POLICY_UNAVAILABLE({ cause: new Error(result.reason) });
  return result.bundle;
}

function noTenant(): Error {
  return commonErrors.NOT_FOUND({ message: 'No such tenant.' });
}

function notFound(): Error {
  return commonErrors.NOT_FOUND({
    message: 'No such policy bundle here. A bundle that only a tenant has is found by that tenant, with its tenant_id.',
  });
}
