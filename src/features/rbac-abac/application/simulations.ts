import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Attributes, JsonObject } from '../domain/attributes.js';
import type { Decision } from '../domain/decision.js';
import { PolicySet, type Policy } from '../domain/policy-set.js';
import { EVALUATED, type Scope } from '../domain/scope.js';
import { ASKED } from '../domain/stored-policy.js';
import { PoliciesRepository } from '../persistence/policies.repository.js';
import { rbacAbacErrors } from '../rbac-abac.errors.js';
import { rbacAbacSettings, type RbacAbacSettings } from '../rbac-abac.settings.js';
import { checkedCondition, checkedScope, type GivenDraft } from './checked-policy.js';

/** A question as it might be asked. What it leaves out is null to the conditions. */
export interface Situation {
  readonly resourceType: string;
  readonly action: string;
  readonly principal: JsonObject;
  readonly resource: JsonObject;
  readonly request: JsonObject;
  /** Attributes under those of the three above. */
  readonly context: JsonObject;
}

const DRAFT_ID = 'draft';

/**
 * What would be decided if a policy were in force beside the others of the context's tenant, also where policies are
 * switched off. Grants are not asked.
 */
@Injectable()
export class Simulations {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly policies: PoliciesRepository,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    @Inject(rbacAbacSettings.token) private readonly settings: RbacAbacSettings,
  ) {}

  /** @throws AUTHZ_DENIED where simulations are switched off; AUTHZ_SIMULATION_INVALID; NOT_FOUND */
  async ofPolicy(id: string, situation: Situation): Promise<Decision> {
    const question = this.#question(situation);
    const [policy, others] = await this.uow.read(async () => [
      await this.policies.get(this.uow.tenantId, id),
      await this.policies.inForce(this.uow.tenantId),
    ]);
    return this.#decide(policy, others, question);
  }

  /** The same for a policy that is not stored; it is called `draft`. @throws also AUTHZ_POLICY_INVALID, AUTHZ_POLICY_TOO_COMPLEX */
  async ofDraft(draft: Omit<GivenDraft, 'name' | 'enabled'>, situation: Situation): Promise<Decision> {
    const question = this.#question(situation);
    const policy = {
      ...draft,
      ...checkedScope(draft, this.settings),
      condition: checkedCondition(draft.condition, this.settings),
      id: DRAFT_ID,
    };
    const others = await this.uow.read(() => this.policies.inForce(this.uow.tenantId));
    return this.#decide(policy, others, question);
  }

  #decide(policy: Policy, others: readonly Policy[], { scope, attributes }: Question): Decision {
    const set = PolicySet.of([...others.filter(({ id }) => id !== policy.id), policy]);
    const decision = set.decide(scope, attributes, this.settings.defaultDeny);
    this.audit.note({
      event: 'authz.simulation.run',
      outcome: decision.allowed ? 'success' : 'failure',
      resourceType: 'authorization_policy',
      resourceId: policy.id,
      metadata: {
        resource_type: scope.resourceType,
        action: scope.action,
        matched_policy_id: decision.matchedPolicyId,
      },
    });
    return decision;
  }

  #question({ resourceType, action, principal, resource, request, context }: Situation): Question {
    if (!this.settings.simulationEnabled) {
      throw rbacAbacErrors.AUTHZ_DENIED({ message: 'Simulations are switched off by AUTHZ_SIMULATION_ENABLED.' });
    }
    const scope = EVALUATED.find((asked) => asked.resourceType === resourceType && asked.action === action);
    if (scope === undefined)
      throw invalid(`Nothing asks for ${resourceType}:${action}; what is asked for is ${ASKED}.`);
    const tenantId = currentContext().tenantId ?? '';
    const attributes = {
      principal: { tenant_id: tenantId, ...objectIn(context, 'principal'), ...principal },
      resource: { ...objectIn(context, 'resource'), ...resource },
      request: { time: this.clock.now().toISOString(), ...objectIn(context, 'request'), ...request },
    };
    for (const [name, of] of [
      ['principal', attributes.principal],
      ['resource', attributes.resource],
    ] as const) {
      const tenant = (of as JsonObject)['tenant_id'];
      if (tenant !== undefined && tenant !== tenantId) throw invalid(`${name}.tenant_id must be your own tenant.`);
    }
    return { scope, attributes };
  }
}

interface Question {
  readonly scope: Scope;
  readonly attributes: Attributes;
}

function objectIn(context: JsonObject, name: string): JsonObject {
  const value = context[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function invalid(message: string): Error {
  return rbacAbacErrors.AUTHZ_SIMULATION_INVALID({ message });
}
