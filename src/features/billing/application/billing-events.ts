import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Webhooks } from '../../../platform/webhooks/index.js';
import type { PlanEvents, UpgradeRequested } from '../../plans/index.js';
import type { HardCapBlocked, QuotaEvents, SoftCapReached } from '../../quotas/index.js';
import { BILLING, BillingEndpoint } from './billing-endpoint.js';

/**
 * Tells the billing system what happened to the context's tenant. Part of the caller's transaction where one is open:
 * the event is sent when it commits. Does nothing while the webhook is off.
 */
@Injectable()
export class BillingEvents implements QuotaEvents, PlanEvents {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly endpoint: BillingEndpoint,
    private readonly webhooks: Webhooks,
    private readonly clock: Clock,
  ) {}

  async softCapReached({ period, used, limit, soft_cap_ratio }: SoftCapReached): Promise<void> {
    await this.#send('quota.soft_cap_reached', { period, used, limit, soft_cap_ratio });
  }

  async hardCapBlocked({ period, day_used, day_limit, month_used, month_limit }: HardCapBlocked): Promise<void> {
    await this.#send('quota.hard_cap_blocked', { period, day_used, day_limit, month_used, month_limit });
  }

  async upgradeRequested({ currentPlan, targetPlan, reason, requestId }: UpgradeRequested): Promise<void> {
    await this.#send('billing.upgrade_requested', {
      current_plan: currentPlan,
      target_plan: targetPlan,
      reason,
      request_id: requestId,
    });
  }

  async #send(type: string, payload: Readonly<Record<string, unknown>>): Promise<void> {
    if (typeof this.endpoint.current === 'string') return;
    await this.uow.run(async () => {
      const body = billingEvent(type, this.uow.tenantId, payload, this.clock.now());
      await this.webhooks.send(BILLING, { type, body });
    });
  }
}

/** Compact JSON, its keys in the documented order. */
export function billingEvent(
  type: string,
  tenantId: string,
  payload: Readonly<Record<string, unknown>>,
  at: Date,
): string {
  return JSON.stringify({ event_type: type, tenant_id: tenantId, ...payload, timestamp: at.toISOString() });
}
