import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import { currentContext } from '../../../kernel/context.js';
import type { Operation } from '../../../kernel/operation.js';
import type { Principal } from '../../../kernel/principal.js';
import type { BucketLevel, Passage, TokenBucket, UsageCounter } from '../../../platform/shared-state/index.js';
import { QuotaMeter } from '../../quotas/index.js';
import { RateLimits } from '../application/rate-limits.js';
import { denialOf } from '../domain/denial.js';
import { rateFields } from './rate-fields.js';
import { rateLimitsSettings, type RateLimitsSettings } from '../rate-limits.settings.js';
import { RefuseRequest } from './refuse-request.js';

/**
 * Stage 6. Takes the operation's cost from the buckets of the key and of the tenant, before the role is looked at: a
 * flood of forbidden requests, each of which writes an audit row, is bounded too. Fields are set on the response
 * itself, so that streams, empty answers and refusals carry them.
 */
@Injectable()
export class LimitRate implements CanActivate {
  constructor(
    @Inject(rateLimitsSettings.token) private readonly settings: RateLimitsSettings,
    private readonly limits: RateLimits,
    private readonly meter: QuotaMeter,
    private readonly refuse: RefuseRequest,
  ) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { operation, principal, trail } = currentContext();
    trail.push('rate limit');
    if (operation === undefined || principal === undefined) return true;
    const buckets = this.#bucketsOf(principal, operation);
    const http = execution.switchToHttp();
    const { path } = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const { cost, rateClass } = operation;
    const { tenantId } = principal;
    const degraded = (): void => void response.setHeader('X-RateLimit-Status', 'degraded');
    // The units of the quota are counted in the same step: one round trip for both.
    const ask = (counters: readonly UsageCounter[]): Promise<Passage> =>
      this.limits.ask({ tenantId, cost, buckets, counters, routeClass: rateClass, path, degraded });
    return this.meter.reserve(response, ask).then((passage) => {
      if (passage.outcome !== 'unknown') setFields(response, operation, buckets, passage.buckets);
      if (passage.outcome !== 'throttled') return true;
      const [ofKey, ofTenant] = passage.buckets;
      const { scope, retryAfterMs } = denialOf(ofKey?.retryAfterMs ?? 0, ofTenant?.retryAfterMs ?? 0);
      throw this.refuse.because(scope, retryAfterMs, rateClass, path);
    });
  }

  /** Of the key, then of the tenant. */
  #bucketsOf({ apiKeyId }: Principal, { rateClass }: Operation): TokenBucket[] {
    if (!this.settings.enabled || rateClass === 'none') return [];
    const { settings } = this;
    return [
      {
        id: `key:${apiKeyId}:${rateClass}`,
        rate: settings[`key_${rateClass}_rps`],
        burst: settings[`key_${rateClass}_burst`],
      },
      {
        id: `tenant:${rateClass}`,
        rate: settings[`tenant_${rateClass}_rps`],
        burst: settings[`tenant_${rateClass}_burst`],
      },
    ];
  }
}

const SCOPES = ['api_key', 'tenant'] as const;

function setFields(
  response: Response,
  { rateClass, cost }: Operation,
  buckets: readonly TokenBucket[],
  levels: readonly BucketLevel[],
): void {
  if (buckets.length === 0) return;
  const limits = levels.map((level, index) => ({
    policy: `${SCOPES[index]}:${rateClass}`,
    bucket: buckets[index] as TokenBucket,
    level,
  }));
  const fields = rateFields(limits, cost);
  response.setHeader('RateLimit-Policy', fields['RateLimit-Policy']);
  response.setHeader('RateLimit', fields.RateLimit);
}
