import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext } from '../../../kernel/context.js';
import type { AppError } from '../../../kernel/errors.js';
import { FloodAudit } from '../application/flood-audit.js';
import type { Scope } from '../domain/denial.js';
import { addressBlock } from '../domain/address-block.js';

/** The one shape of a 429, and its place in the audit trail. */
@Injectable()
export class RefuseRequest {
  constructor(private readonly audit: FloodAudit) {}

  because(scope: Scope | 'ip', retryAfterMs: number, routeClass: string, path: string): AppError {
    const { principal, ipAddress = 'unknown' } = currentContext();
    const whose =
      scope === 'ip'
        ? addressBlock(ipAddress)
        : `${principal?.tenantId}:${scope === 'api_key' ? principal?.apiKeyId : ''}:${routeClass}`;
    this.audit.note(`${scope}:${whose}`, {
      event: 'security.rate_limited',
      outcome: 'failure',
      ...(scope === 'ip' ? { actor: { type: 'anonymous' } } : {}),
      metadata: { scope, route_class: routeClass, retry_after_ms: retryAfterMs, path },
    });
    return commonErrors.RATE_LIMITED({
      ...(scope === 'ip' ? { message: ADDRESS_MESSAGE } : {}),
      details: { scope, route_class: routeClass, retry_after_ms: retryAfterMs },
      headers: {
        'Retry-After': String(Math.ceil(retryAfterMs / 1000)),
        'X-RateLimit-Scope': scope,
        'X-RateLimit-Route-Class': routeClass,
        'X-RateLimit-Retry-After-Ms': String(retryAfterMs),
      },
    });
  }
}

const ADDRESS_MESSAGE =
  'Too many credentials from this address were refused. Check yours, and try again after Retry-After.';
