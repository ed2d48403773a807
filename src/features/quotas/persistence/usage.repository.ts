import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Period, PeriodType } from '../domain/period.js';

/** Units and requests of one tenant, day and route class; negative units were counted too much before. */
export interface UsageDelta {
  readonly tenantId: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly routeClass: string;
  readonly units: number;
  readonly requests: number;
}

export interface CountedUsage {
  readonly tenantId: string;
  readonly type: PeriodType;
  readonly start: Date;
  readonly used: number;
}

export interface AddedUsage {
  readonly counters: readonly CountedUsage[];
  /** By which `hasCommitted` knows it; undefined when nothing was written. */
  readonly transaction: string | undefined;
}

/** The ledger: what is here was used. */
@Injectable()
export class UsageRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /**
   * Adds to day, month and class, in one statement of a unit across tenants, and tells how the counters stand now.
   * What a tenant used that is gone is left out. The order of the rows keeps two processes from a deadlock.
   */
  async add(deltas: readonly UsageDelta[]): Promise<AddedUsage> {
    const counters = await this.uow.rows<CountedUsage & { transaction: string }>(
      `WITH given AS (
         SELECT g.* FROM unnest($1::text[], $2::date[], $3::text[], $4::bigint[], $5::bigint[])
                           AS g (tenant_id, day, route_class, units, requests)
           JOIN tenants t ON t.id = g.tenant_id
       ), rolled_up AS (
         INSERT INTO usage_rollups AS u (tenant_id, day, route_class, requests_count)
         SELECT tenant_id, day, route_class, requests FROM given WHERE requests > 0
          ORDER BY tenant_id, day, route_class
         ON CONFLICT (tenant_id, day, route_class)
           DO UPDATE SET requests_count = u.requests_count + EXCLUDED.requests_count
       )
       INSERT INTO usage_counters AS c (tenant_id, period_type, period_start, requests_count)
       SELECT tenant_id, type, date_trunc(type, day::timestamp) AT TIME ZONE 'UTC', sum(units)
         FROM given CROSS JOIN unnest(ARRAY['day', 'month']) AS type GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
       ON CONFLICT (tenant_id, period_type, period_start)
         DO UPDATE SET requests_count = c.requests_count + EXCLUDED.requests_count, updated_at = now()
       RETURNING c.tenant_id AS "tenantId", c.period_type AS type, c.period_start AS start,
                 c.requests_count::float8 AS used, pg_current_xact_id()::text AS transaction`,
      [
        deltas.map(({ tenantId }) => tenantId),
        deltas.map(({ day }) => day),
        deltas.map(({ routeClass }) => routeClass),
        deltas.map(({ units }) => units),
        deltas.map(({ requests }) => requests),
      ],
    );
    return { counters, transaction: counters[0]?.transaction };
  }

  /** What became of a transaction whose commit was not answered; undefined while it is still open. */
  async hasCommitted(transaction: string): Promise<boolean | undefined> {
    const row = await this.uow.first<{ status: string | null }>(`SELECT pg_xact_status($1::xid8) AS status`, [
      transaction,
    ]);
    // Null: so long ago that the server forgot it. Then nobody is charged twice.
    return row?.status === 'in progress' ? undefined : row?.status !== 'aborted';
  }

  /**
   * Counts the units in both periods of the unit's tenant, or in none if that would pass a limit (null: none).
   *
   * @returns how the counters stand now.
   */
  async charge(
    periods: readonly Period[],
    units: number,
    limits: readonly (number | null)[],
  ): Promise<{ passed: boolean; used: number[] }> {
    const types = periods.map(({ type }) => type);
    const starts = periods.map(({ start }) => start.toISOString());
    const locked = await this.uow.rows<{ type: string; used: number }>(
      `INSERT INTO usage_counters AS c (tenant_id, period_type, period_start)
       SELECT $1, g.* FROM unnest($2::text[], $3::timestamptz[]) AS g ORDER BY 2
       ON CONFLICT (tenant_id, period_type, period_start) DO UPDATE SET updated_at = now()
       RETURNING period_type AS type, requests_count::float8 AS used`,
      [this.uow.tenantId, types, starts],
    );
    const used = types.map((type) => locked.find((row) => row.type === type)?.used ?? 0);
    const passes = (count: number, index: number): boolean => count + units <= (limits[index] ?? Infinity);
    if (units > 0 && !used.every(passes)) return { passed: false, used };
    await this.uow.execute(
      `UPDATE usage_counters SET requests_count = requests_count + $4
        WHERE tenant_id = $1 AND (period_type, period_start) IN (SELECT * FROM unnest($2::text[], $3::timestamptz[]))`,
      [this.uow.tenantId, types, starts, units],
    );
    return { passed: true, used: used.map((count) => count + units) };
  }

  /** Units of each period, 0 for one without usage; in the order given. */
  async used(periods: readonly Pick<Period, 'type' | 'start'>[]): Promise<number[]> {
    const rows = await this.uow.rows<{ used: number }>(
      `SELECT coalesce(c.requests_count, 0)::float8 AS used
         FROM unnest($2::text[], $3::timestamptz[]) WITH ORDINALITY AS g (type, start, position)
         LEFT JOIN usage_counters c ON c.tenant_id = $1 AND c.period_type = g.type AND c.period_start = g.start
        ORDER BY g.position`,
      [this.uow.tenantId, periods.map(({ type }) => type), periods.map(({ start }) => start.toISOString())],
    );
    return rows.map(({ used }) => used);
  }

  /** Requests by day and route class, from `firstDay` (`YYYY-MM-DD`) on. */
  async rollups(firstDay: string): Promise<{ day: string; routeClass: string; requests: number }[]> {
    return this.uow.rows(
      `SELECT day::text AS day, route_class AS "routeClass", requests_count::float8 AS requests
         FROM usage_rollups WHERE tenant_id = $1 AND day >= $2`,
      [this.uow.tenantId, firstDay],
    );
  }
}
