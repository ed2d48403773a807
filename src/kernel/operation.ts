import type { PlanFeature } from './plan-features.js';
import type { Authority, Role } from './principal.js';

/**
 * What a route declares about itself, once. All operations together are the route manifest, which the pipeline,
 * OpenAPI, the docs and the generic tests read.
 */
export interface Operation {
  /** Stable name, `<feature>.<verb>`; the OpenAPI operationId and the name in logs. */
  readonly id: string;
  /** Lowest role that may call it; `public` needs no credential. */
  readonly role: Role | 'public';
  readonly summary: string;
  /** Rate class; decides the bucket that a request draws from. */
  readonly rateClass: 'run' | 'mutation' | 'read' | 'ops' | 'none';
  /** Tokens that one request takes from its rate buckets, and units that it takes from the quota. */
  readonly cost: number;
  /** Takes no units from the quota, so that it still works when the quota is used up. */
  readonly unmetered?: true;
  /** What the caller must be entitled to beyond the role; for effects beyond what a tenant decides by itself. */
  readonly authority?: Authority;
  /**
   * Which tenants an operator may name in the path's `:tenant` or in `tenant_id` of the query: those that are served
   * here, or any. Unset: everybody names only their own. The handler works `inTenant`.
   */
  readonly operatorReach?: 'served' | 'any';
  /** Its body may name the tenant that it acts on, as `tenant_id`. The handler decides who may name which. */
  readonly onTenant?: true;
  /** A question that is no GET, because it needs a body: it takes no `Idempotency-Key`. */
  readonly changesNothing?: true;
  /** Plan feature that the tenant must have. */
  readonly feature?: PlanFeature;
  /** Success status with `stream:false`. */
  readonly status: number;
  /** Further success statuses with the same body, such as 200 when nothing had to be done. */
  readonly alternatives?: readonly number[];
  /** How the body is written: enveloped JSON, as is, an event stream, one JSON object a line, bytes, or none. */
  readonly response: 'json' | 'bare' | 'stream' | 'lines' | 'binary' | 'empty';
  /** `binary`: bytes, which the handler reads itself as they arrive; or JSON in their place. */
  readonly body?: 'json' | 'multipart' | 'binary';
  /** Audit events that a successful call writes, or of which it writes one; empty for most reads. */
  readonly audit: readonly string[];
  /** Error codes beyond those that every route of its kind can answer. */
  readonly errors: readonly string[];
}

export interface Route {
  readonly method: string;
  /** Express path below the root, for example `/v1/corpora/:id`. */
  readonly path: string;
  readonly operation: Operation;
}
