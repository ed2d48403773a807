import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext, type Context } from '../../../kernel/context.js';
import type { AppError } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import type { Principal } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { Operators } from '../../auth/index.js';
import { MinuteCounts } from '../application/minute-counts.js';
import { ResidencyGate } from '../application/residency-gate.js';
import { isExempt } from '../domain/exempt-paths.js';
import { residencySettings, type ResidencySettings } from '../residency.settings.js';

/** Refusals that a credential is told in a minute; what it sends beyond them is answered 429. */
const MOST_REFUSALS = 60;

/**
 * Stage 5. Refuses tenants that are pinned to another region, whatever they ask, before anything is counted or read for
 * them; and operators who name such a tenant, unless the operation reaches any. No answer tells where this process is.
 */
@Injectable()
export class CheckResidency implements CanActivate {
  readonly #refused: MinuteCounts;

  constructor(
    private readonly gate: ResidencyGate,
    private readonly operators: Operators,
    private readonly audit: AuditTrail,
    private readonly log: Log,
    clock: Clock,
    @Inject(residencySettings.token) private readonly settings: ResidencySettings,
  ) {
    this.#refused = new MinuteCounts(clock);
  }

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const context = currentContext();
    context.trail.push('residency');
    const { path = '', principal } = context;
    if (this.gate.isOpen || isExempt(path) || principal === undefined) return true;
    return this.#check(context, principal, execution.switchToHttp().getRequest<Request>());
  }

  async #check(context: Context, principal: Principal, request: Request): Promise<true> {
    for (const tenantId of [principal.tenantId, ...this.#target(context, principal, request)]) {
      const refusal = await this.gate.refusal(tenantId);
      if (refusal !== undefined) throw this.#refuse(refusal, tenantId, context, principal);
    }
    return true;
  }

  /** Whoever is no operator is refused later for naming another tenant, and must not learn its region here. */
  #target({ operation }: Context, principal: Principal, { params, query }: Request): string[] {
    const target = params['tenant'] ?? query['tenant_id'];
    if (operation?.operatorReach !== 'served' || typeof target !== 'string') return [];
    if (target === principal.tenantId || !this.operators.has(principal, 'operator')) return [];
    return [target];
  }

  #refuse(refusal: AppError, tenantId: string, context: Context, principal: Principal): AppError {
    const { count, endsInMs } = this.#refused.add(`${principal.tenantId}:${principal.apiKeyId}`);
    if (count > MOST_REFUSALS) {
      return commonErrors.RATE_LIMITED({
        details: { scope: 'residency', retry_after_ms: endsInMs },
        headers: { 'Retry-After': String(Math.ceil(endsInMs / 1000)) },
      });
    }
    const tenantRegion = refusal.details?.['region'];
    const { region: serverRegion } = this.settings;
    this.log.warn(
      { tenant_id: tenantId, tenant_region: tenantRegion, server_region: serverRegion, path: context.path },
      'residency_mismatch_refused',
    );
    if (count === 1) {
      this.audit.note({
        event: 'residency.mismatch',
        outcome: 'failure',
        errorCode: refusal.code,
        metadata: { tenant_region: tenantRegion, route: context.route, method: context.method },
      });
    }
    return refusal;
  }
}
