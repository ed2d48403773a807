import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Ids } from '../../../kernel/ids.js';
import { isOver, softCapReached, type QuotaLimits, type Standing, type Standings } from '../domain/quota.js';
import { QuotaAnnouncements } from './quota-announcements.js';
import type { HardCapBlocked } from './quota-events.js';

const SAMPLED = 0.02;

/** Tells the audit trail, and whoever else wants to know, what a request did to the quota. In its context. */
@Injectable()
export class QuotaNotices {
  constructor(
    private readonly audit: AuditTrail,
    private readonly announcements: QuotaAnnouncements,
    private readonly ids: Ids,
  ) {}

  /** After a request that counts. */
  used(tenantId: string, standings: Standings, limits: QuotaLimits): void {
    const { softCapRatio, hardCapEnabled } = limits;
    if (!hardCapEnabled && standings.some(isOver)) {
      this.audit.note({ event: 'quota.overage_observed', outcome: 'success', metadata: { ...levels(standings) } });
    }
    if (this.ids.fraction() < SAMPLED) {
      const metadata = { ...levels(standings), hard_cap_enabled: hardCapEnabled };
      const actor = { type: 'system', id: 'quota' };
      this.audit.note({ event: 'billing.usage_recorded', outcome: 'success', actor, metadata });
    }
    for (const { period, limit, used } of standings) {
      if (limit === null || !softCapReached({ period, limit, used }, softCapRatio)) continue;
      const event = { period: period.type, used, limit, soft_cap_ratio: softCapRatio };
      this.announcements.softCapReached(tenantId, period, event);
    }
  }

  /** After a refusal. */
  blocked(tenantId: string, standings: Standings, { period }: Standing): void {
    const event = { period: period.type, ...levels(standings) };
    this.audit.note({
      event: 'quota.hard_cap_blocked',
      outcome: 'failure',
      errorCode: 'QUOTA_EXCEEDED',
      metadata: { ...event },
    });
    this.announcements.hardCapBlocked(tenantId, period, event);
  }
}

function levels([day, month]: Standings): Omit<HardCapBlocked, 'period'> {
  return { day_used: day.used, day_limit: day.limit, month_used: month.used, month_limit: month.limit };
}
