import type { Asking, Json, JsonObject } from './attributes.js';
import type { Decision } from './decision.js';
import type { Holder } from './grants.js';
import type { PolicySet } from './policy-set.js';
import type { DocumentAction } from './scope.js';

/** What a decision needs to know of a document. */
export interface DocumentFacts {
  /** Null for one that is being created. */
  readonly id: string | null;
  readonly tenantId: string;
  readonly corpusId: string;
  readonly status: string | null;
  readonly contentType: string | null;
  readonly metadata: JsonObject;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether a grant that counts now gives the action to who asks. */
  readonly granted: boolean;
}

export interface RuleSwitches {
  readonly abacEnabled: boolean;
  readonly defaultDeny: boolean;
  /** Whether who asks needs no grant: an admin, where the installation says so. */
  readonly bypassesGrants: boolean;
}

/** The rules as they are for one principal at one moment. */
export class DocumentRules {
  constructor(
    readonly tenantId: string,
    readonly holders: readonly Holder[],
    readonly now: Date,
    readonly asking: Asking,
    readonly policies: PolicySet,
    readonly switches: RuleSwitches,
  ) {}

  /** The order of the last gates of a document action: tenant, grants, policies, default. */
  decide(action: DocumentAction, document: DocumentFacts): Decision {
    const { abacEnabled, bypassesGrants } = this.switches;
    if (document.tenantId !== this.tenantId) return decided(false, 'tenant_mismatch');
    if (!document.granted && !bypassesGrants) return decided(false, 'document_acl_denied');
    if (!abacEnabled) return decided(true, 'abac_disabled');
    return this.#askPolicies(action, document);
  }

  /** For a document that is being created: there is nothing that a grant could be for. */
  decideCreate(document: DocumentFacts): Decision {
    return this.switches.abacEnabled ? this.#askPolicies('write', document) : decided(true, 'abac_disabled');
  }

  #askPolicies(action: DocumentAction, document: DocumentFacts): Decision {
    const scope = { resourceType: 'document', action } as const;
    return this.policies.decide(scope, { ...this.asking, resource: resourceOf(document) }, this.switches.defaultDeny);
  }
}

export function resourceOf({
  id,
  tenantId,
  corpusId,
  status,
  contentType,
  metadata,
  labels,
}: DocumentFacts): JsonObject {
  const resource: Record<string, Json> = {
    id,
    tenant_id: tenantId,
    corpus_id: corpusId,
    status,
    content_type: contentType,
    metadata,
    labels,
  };
  return resource;
}

function decided(allowed: boolean, reason: Decision['reason']): Decision {
  return { allowed, reason, matchedPolicyId: null, trace: [] };
}
