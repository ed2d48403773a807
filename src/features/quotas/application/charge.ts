import { dayOf, type Period } from '../domain/period.js';
import type { QuotaLimits, Standing, Standings } from '../domain/quota.js';
import type { UsageDelta } from '../persistence/usage.repository.js';

/** After a period the store keeps its counter a little longer, for requests that began in it and clocks that differ. */
const KEPT_MS = 86_400_000;

/** When the store may forget the counter of a period. */
export function expiryOf({ end }: Period): Date {
  return new Date(end.getTime() + KEPT_MS);
}

/** A counter as the gate knows it. */
export interface Counter {
  readonly id: string;
  readonly units: number;
  readonly limit: number | null;
  readonly expiresAt: Date;
}

/**
 * The units of one request.
 *
 *     refused ─┐           ┌─ returned   ended before its handler, or 5xx
 *              ├─ charged ─┤
 *     reserved ┘           └─ settled    belongs into the ledger
 */
export class Charge {
  state: 'reserved' | 'refused' | 'charged' | 'returned' | 'settled' = 'refused';
  /** Where the units were counted. */
  countedIn: 'gate' | 'ledger' = 'gate';
  /** The counters after this request, or as they are when it was refused. */
  used: readonly number[] = [0, 0];
  constructor(
    readonly tenantId: string,
    readonly limits: QuotaLimits,
    readonly units: number,
    readonly routeClass: string,
    readonly periods: readonly [day: Period, month: Period],
  ) {}

  counters(): Counter[] {
    const { hardCapEnabled, dailyRequests, monthlyRequests } = this.limits;
    return this.periods.map((period) => ({
      id: period.id,
      units: this.units,
      limit: hardCapEnabled ? (period.type === 'day' ? dailyRequests : monthlyRequests) : null,
      expiresAt: expiryOf(period),
    }));
  }

  /** How the quota stands: with the units of this request once it is charged, unless its answer is free. */
  standings(free = false): Standings {
    const { dailyRequests, monthlyRequests } = this.limits;
    const own = this.state === 'reserved' || (free && this.state === 'charged') ? this.units : 0;
    const standing = (index: 0 | 1, limit: number | null): Standing => ({
      period: this.periods[index],
      limit,
      used: (this.used[index] ?? 0) - own,
    });
    return [standing(0, dailyRequests), standing(1, monthlyRequests)];
  }

  /** What the ledger is to add, or to take away. */
  delta(units: number, requests: number): UsageDelta {
    const { tenantId, routeClass } = this;
    return { tenantId, day: dayOf(this.periods[0].start), routeClass, units, requests };
  }
}
