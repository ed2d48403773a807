import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { lastDays, periodAt, periodsAt, type Period, type PeriodType } from '../domain/period.js';
import { hardCapMode, remaining, softCapReached, type Standing, type Standings } from '../domain/quota.js';
import { UsageRepository } from '../persistence/usage.repository.js';
import { Limits } from './limits.js';
import { QuotaMeter } from './quota-meter.js';
import { UsageLedger } from './usage-ledger.js';

export const ROUTE_CLASSES = ['run', 'read', 'mutation', 'ops'] as const;
export type RouteClass = (typeof ROUTE_CLASSES)[number];

export interface PeriodSnapshot {
  /** Null: unlimited, as is `remaining` then. */
  readonly limit: number | null;
  readonly used: number;
  readonly remaining: number | null;
}

export interface QuotaSnapshot {
  readonly day: PeriodSnapshot;
  readonly month: PeriodSnapshot;
  readonly soft_cap_reached: boolean;
  readonly hard_cap_mode: 'enforce' | 'observe';
}

export interface RequestSummary {
  readonly total: number;
  readonly by_route_class: Readonly<Record<RouteClass, number>>;
}

/**
 * What the context's tenant has used. Includes what this process has not written yet, and the current request; other
 * processes write theirs within a second.
 */
@Injectable()
export class Usage {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly usage: UsageRepository,
    private readonly ledger: UsageLedger,
    private readonly meter: QuotaMeter,
    private readonly limits: Limits,
    private readonly clock: Clock,
  ) {}

  /** Within a request, what its own headers say. */
  async snapshot(): Promise<QuotaSnapshot> {
    const limits = await this.limits.current();
    const [day, month] = this.meter.current()?.standings() ?? (await this.#standings());
    return {
      day: snapshotOf(day),
      month: snapshotOf(month),
      soft_cap_reached: [day, month].some((standing) => softCapReached(standing, limits.softCapRatio)),
      hard_cap_mode: hardCapMode(limits),
    };
  }

  /** Requests of the last `days` UTC dates, today included. */
  async summary(days: number): Promise<RequestSummary> {
    const rows = await this.#rollups(days);
    const count = (routeClass: RouteClass): number =>
      rows.filter((row) => row.routeClass === routeClass).reduce((sum, { requests }) => sum + requests, 0);
    const byClass = { run: count('run'), read: count('read'), mutation: count('mutation'), ops: count('ops') };
    return { total: Object.values(byClass).reduce((sum, requests) => sum + requests, 0), by_route_class: byClass };
  }

  /** Requests of each of the last `days` UTC dates, oldest first; the last is today. */
  async timeseries(days: number): Promise<{ readonly ts: string; readonly value: number }[]> {
    const rows = await this.#rollups(days);
    return lastDays(days, this.clock.now()).map((ts) => ({
      ts,
      value: rows.filter(({ day }) => day === ts).reduce((sum, { requests }) => sum + requests, 0),
    }));
  }

  /** Units of the period that contains the instant. */
  async ofPeriod(type: PeriodType, at: Date): Promise<{ readonly period: Period; readonly units: number }> {
    const period = periodAt(type, at);
    const [units = 0] = await this.#used([period]);
    return { period, units };
  }

  async #standings(): Promise<Standings> {
    const { dailyRequests, monthlyRequests } = await this.limits.current();
    const [day, month] = periodsAt(this.clock.now());
    const [dayUsed = 0, monthUsed = 0] = await this.#used([day, month]);
    return [
      { period: day, limit: dailyRequests, used: dayUsed },
      { period: month, limit: monthlyRequests, used: monthUsed },
    ];
  }

  async #used(periods: readonly Period[]): Promise<number[]> {
    await this.ledger.flush();
    return this.uow.read(() => this.usage.used(periods));
  }

  async #rollups(days: number): Promise<{ day: string; routeClass: string; requests: number }[]> {
    await this.ledger.flush();
    const [firstDay = ''] = lastDays(days, this.clock.now());
    const rows = await this.uow.read(() => this.usage.rollups(firstDay));
    const current = this.meter.current();
    return current === undefined ? rows : [...rows, current.delta(0, 1)];
  }
}

function snapshotOf(standing: Standing): PeriodSnapshot {
  return { limit: standing.limit, used: standing.used, remaining: remaining(standing) };
}
