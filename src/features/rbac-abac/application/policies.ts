import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext, tryContext } from '../../../kernel/context.js';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { newPolicyId, type PolicyDraft, type PolicyVersion, type StoredPolicy } from '../domain/stored-policy.js';
import { PoliciesRepository } from '../persistence/policies.repository.js';
import { rbacAbacSettings, type RbacAbacSettings } from '../rbac-abac.settings.js';
import { checkedCondition, checkedScope, FIELD_NAMES, type GivenDraft } from './checked-policy.js';
import { TenantPolicies } from './tenant-policies.js';

/** Whose policies: those of the context's tenant, or the templates, which apply to every tenant. */
export type Shelf = 'tenant' | 'templates';

interface PageOf {
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** Life of policies. Every change is audited with it, and in force in every process when it is answered. */
@Injectable()
export class Policies {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly policies: PoliciesRepository,
    private readonly inForce: TenantPolicies,
    private readonly audit: AuditTrail,
    private readonly ids: Ids,
    @Inject(rbacAbacSettings.token) private readonly settings: RbacAbacSettings,
  ) {}

  /** By priority, then id. @throws INVALID_CURSOR */
  async list(shelf: Shelf, page: PageOf & { readonly withTemplates: boolean }): Promise<Page<StoredPolicy>> {
    return this.uow.read(() => this.policies.list(this.#owner(shelf), { ...page, templates: page.withTemplates }));
  }

  /** @throws NOT_FOUND, also for another tenant's policy, and for a template on the tenant's own shelf. */
  async get(shelf: Shelf, id: string): Promise<StoredPolicy> {
    return this.uow.read(() => this.policies.get(this.#owner(shelf), id));
  }

  /** @throws AUTHZ_POLICY_INVALID, AUTHZ_POLICY_TOO_COMPLEX; CONFLICT when there are too many. */
  async create(shelf: Shelf, given: GivenDraft): Promise<StoredPolicy> {
    const draft: PolicyDraft = {
      ...given,
      ...checkedScope(given, this.settings),
      condition: checkedCondition(given.condition, this.settings),
    };
    return this.#change(shelf, async (owner) => {
      const policy = await this.policies.insert(owner, newPolicyId(this.ids), draft, actor());
      const { resourceType, action, effect } = policy;
      await this.#record('created', policy, { resource_type: resourceType, action, effect });
      return policy;
    });
  }

  /**
   * Changes what is given and leaves the rest.
   *
   * @param ifVersion the version that the caller has seen; any when undefined.
   * @throws NOT_FOUND; CONFLICT for another version; AUTHZ_POLICY_INVALID, AUTHZ_POLICY_TOO_COMPLEX.
   */
  async update(shelf: Shelf, id: string, changes: Partial<GivenDraft>, ifVersion?: number): Promise<StoredPolicy> {
    const condition =
      changes.condition === undefined ? {} : { condition: checkedCondition(changes.condition, this.settings) };
    return this.#change(shelf, async (owner) => {
      const before = await this.policies.getForChange(owner, id);
      if (ifVersion !== undefined && ifVersion !== before.version) {
        throw commonErrors.CONFLICT({
          message: 'The policy has changed. Read it again and repeat the change with its current version.',
          details: { version: before.version },
        });
      }
      const fields = (Object.keys(changes) as (keyof GivenDraft)[]).map((field) => FIELD_NAMES[field]);
      if (fields.length === 0) return before;
      const merged = { ...before, ...changes };
      const scope = checkedScope(merged, this.settings);
      const after = await this.policies.update(
        { ...merged, ...scope, condition: before.condition, ...condition },
        actor(),
      );
      await this.#record('updated', after, { updated_fields: fields });
      return after;
    });
  }

  /** Switches on or off; nothing changes when it is so already. @throws NOT_FOUND */
  async setEnabled(id: string, enabled: boolean): Promise<StoredPolicy> {
    return this.#change('tenant', async (owner) => {
      const before = await this.policies.getForChange(owner, id);
      if (before.enabled === enabled) return before;
      await this.policies.setEnabled(before, enabled);
      await this.#record(enabled ? 'enabled' : 'disabled', before);
      return this.policies.get(owner, id);
    });
  }

  /** @throws NOT_FOUND */
  async delete(shelf: Shelf, id: string): Promise<void> {
    await this.#change(shelf, async (owner) => {
      const policy = await this.policies.getForChange(owner, id);
      await this.policies.delete(policy);
      await this.#record('deleted', policy);
    });
  }

  /** Newest first, also of a deleted policy. @throws NOT_FOUND, INVALID_CURSOR */
  async versions(id: string, page: PageOf): Promise<Page<PolicyVersion>> {
    const found = await this.uow.read(() => this.policies.versions(this.uow.tenantId, id, page));
    if (found.items.length === 0 && page.cursor === undefined)
      throw commonErrors.NOT_FOUND({ message: 'No such policy.' });
    return found;
  }

  async #change<T>(shelf: Shelf, change: (owner: string | null) => Promise<T>): Promise<T> {
    const owner = this.#owner(shelf);
    const result = await (owner === null
      ? this.uow.acrossTenants('policyTemplates', () => change(null))
      : this.uow.run(() => change(owner)));
    await this.inForce.forget(owner);
    return result;
  }

  #owner(shelf: Shelf): string | null {
    return shelf === 'templates' ? null : (currentContext().tenantId ?? '');
  }

  async #record(event: string, { id, tenantId }: StoredPolicy, metadata: AuditEntry['metadata'] = {}): Promise<void> {
    await this.audit.record({
      event: `authz.policy.${event}`,
      outcome: 'success',
      resourceType: tenantId === null ? 'authorization_policy_template' : 'authorization_policy',
      resourceId: id,
      metadata,
    });
  }
}

function actor(): string | null {
  return tryContext()?.principal?.apiKeyId ?? null;
}
