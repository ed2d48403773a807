import { Inject, Injectable } from '@nestjs/common';
import { isAppError } from '../../../kernel/errors.js';
import { Clock } from '../../../kernel/time.js';
import {
  InProcessGate,
  TrafficGate,
  type Passage,
  type TokenBucket,
  type UsageCounter,
} from '../../../platform/shared-state/index.js';
import { rateLimitsErrors } from '../rate-limits.errors.js';
import { rateLimitsSettings, type RateLimitsSettings } from '../rate-limits.settings.js';
import { FloodAudit } from './flood-audit.js';

export interface Asked {
  readonly tenantId: string;
  readonly cost: number;
  readonly buckets: readonly TokenBucket[];
  readonly counters: readonly UsageCounter[];
  /** For the audit trail. */
  readonly routeClass: string;
  readonly path: string;
  /** Called when this process decides alone. Nothing is counted then. */
  readonly degraded: () => void;
}

/** The shared gate, and what happens without it. */
@Injectable()
export class RateLimits {
  /** While the shared gate is away each process limits by itself: more passes than should, but not everything. */
  readonly #local: TrafficGate;

  constructor(
    @Inject(rateLimitsSettings.token) private readonly settings: RateLimitsSettings,
    private readonly gate: TrafficGate,
    private readonly audit: FloodAudit,
    clock: Clock,
  ) {
    this.#local = new InProcessGate(clock);
  }

  /** @throws RATE_LIMIT_UNAVAILABLE when the gate is away and the settings say to refuse then. */
  ask(asked: Asked): Promise<Passage> {
    const { tenantId, cost, buckets, counters } = asked;
    return this.gate.pass(tenantId, cost, buckets, counters).catch((error: unknown) => this.#alone(asked, error));
  }

  async #alone({ tenantId, cost, buckets, routeClass, path, degraded }: Asked, error: unknown): Promise<Passage> {
    if (!isAppError(error, 'SHARED_STATE_UNAVAILABLE')) throw error;
    if (buckets.length === 0) return { outcome: 'passed', buckets: [], used: [] };
    const { failMode } = this.settings;
    this.audit.note(`degraded:${tenantId}:${routeClass}`, {
      event: 'system.rate_limit.degraded',
      outcome: 'failure',
      actor: { type: 'system', id: 'rate_limit' },
      metadata: { route_class: routeClass, path, fail_mode: failMode },
    });
    if (failMode === 'closed') throw rateLimitsErrors.RATE_LIMIT_UNAVAILABLE({ cause: error });
    degraded();
    return this.#local.pass(tenantId, cost, buckets, []);
  }
}
