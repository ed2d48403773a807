import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import { whenKnown, type Soon } from '../../../kernel/soon.js';
import { Clock } from '../../../kernel/time.js';
import { Entitlements, type TenantPlan } from '../../plans/index.js';
import type { JsonObject } from '../domain/attributes.js';
import type { Decision } from '../domain/decision.js';
import { DocumentRules, type DocumentFacts } from '../domain/document-rules.js';
import { holdersOf, type Asker } from '../domain/grants.js';
import type { PolicySet } from '../domain/policy-set.js';
import type { DocumentAction } from '../domain/scope.js';
import { rbacAbacErrors } from '../rbac-abac.errors.js';
import { rbacAbacSettings, type RbacAbacSettings } from '../rbac-abac.settings.js';
import { Groups, type Group } from './groups.js';
import type { Somebody } from './somebody.js';
import { TenantPolicies } from './tenant-policies.js';

/** Whether who acts in the context may do something with a document, or ask a corpus. */
@Injectable()
export class DocumentAccess {
  constructor(
    private readonly policies: TenantPolicies,
    private readonly groups: Groups,
    private readonly entitlements: Entitlements,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    @Inject(rbacAbacSettings.token) private readonly settings: RbacAbacSettings,
  ) {}

  /** The rules for the context's principal now. Not inside a transaction. @throws Error without a principal. */
  rules(): Soon<DocumentRules> {
    const { principal, ipAddress, operation, method, path } = currentContext();
    if (principal === undefined) throw new Error('Nobody acts here: documents have no rules for the system.');
    return this.#rulesOf(principal, this.groups.of(principal.subjectId), {
      ip: ipAddress ?? null,
      route_class: operation?.rateClass ?? null,
      method: method ?? null,
      path: path ?? null,
    });
  }

  /** The rules for somebody of the context's tenant of whose request nothing is known. Not inside a transaction. */
  rulesOf({ asker, groups }: Somebody): Soon<DocumentRules> {
    return this.#rulesOf(asker, groups, { ip: null, route_class: null, method: null, path: null });
  }

  /** @throws AUTHZ_DENIED, having written down why. */
  require(rules: DocumentRules, action: DocumentAction, document: DocumentFacts): void {
    const decision = document.id === null ? rules.decideCreate(document) : rules.decide(action, document);
    if (!decision.allowed) throw this.#refuse(decision, action, 'document', document.id ?? document.corpusId);
  }

  /** @returns what was decided; nothing where policies are off. @throws AUTHZ_DENIED */
  async requireRun(corpusId: string): Promise<PolicyDecision[]> {
    const rules = await this.rules();
    if (!rules.switches.abacEnabled) return [];
    const resource = { id: corpusId, tenant_id: rules.tenantId, corpus_id: corpusId, labels: {} };
    const scope = { resourceType: 'corpus', action: 'run' } as const;
    const decision = rules.policies.decide(scope, { ...rules.asking, resource }, rules.switches.defaultDeny);
    if (!decision.allowed) throw this.#refuse(decision, 'run', 'corpus', corpusId);
    const { matchedPolicyId: policyId } = decision;
    return [{ engine: 'abac', effect: 'allow', ...(policyId === null ? {} : { policyId }) }];
  }

  #rulesOf(asker: Asker, membership: Soon<readonly Group[]>, request: JsonObject): Soon<DocumentRules> {
    // Asked for already, so waited for first: nobody would hear of its failure meanwhile.
    return whenKnown(membership, (groups) =>
      whenKnown(this.policies.current(), (policies) =>
        whenKnown(this.entitlements.current(), (plan) => this.#rulesNow(asker, groups, policies, plan, request)),
      ),
    );
  }

  #rulesNow(
    asker: Asker,
    groups: readonly Group[],
    policies: PolicySet,
    plan: TenantPlan,
    request: JsonObject,
  ): DocumentRules {
    const now = this.clock.now();
    const { abacEnabled, defaultDeny, adminBypassDocumentAcl } = this.settings;
    const principal = {
      id: asker.subjectId,
      tenant_id: plan.facts.tenantId,
      role: asker.role,
      auth_method: asker.authMethod,
      plan: plan.facts.isActive ? plan.facts.planId : null,
      groups: groups.map(({ name }) => name),
    };
    return new DocumentRules(
      plan.facts.tenantId,
      holdersOf(
        asker,
        groups.map(({ id }) => id),
      ),
      now,
      { principal, request: { time: now.toISOString(), ...request } },
      policies,
      { abacEnabled, defaultDeny, bypassesGrants: adminBypassDocumentAcl && asker.role === 'admin' },
    );
  }

  #refuse({ reason, matchedPolicyId }: Decision, action: string, resourceType: string, resourceId: string): Error {
    const metadata = { action, reason, matched_policy_id: matchedPolicyId };
    this.audit.note({ event: 'authz.access.denied', outcome: 'failure', resourceType, resourceId, metadata });
    return rbacAbacErrors.AUTHZ_DENIED(
      reason === 'document_acl_denied' ? { message: 'document permission required' } : {},
    );
  }
}
