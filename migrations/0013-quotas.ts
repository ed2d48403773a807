import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/** Limits of requests and what was used of them, by day, month and route class. */
export class Quotas implements MigrationInterface {
  readonly name = 'Quotas1767225600013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE plan_limits (
        tenant_id text CONSTRAINT pk_plan_limits PRIMARY KEY
          CONSTRAINT fk_plan_limits_tenant REFERENCES tenants (id),
        daily_requests_limit int,
        monthly_requests_limit int,
        daily_requests_from_plan boolean NOT NULL DEFAULT false,
        monthly_requests_from_plan boolean NOT NULL DEFAULT false,
        granted boolean NOT NULL DEFAULT false,
        daily_tokens_limit int,
        monthly_tokens_limit int,
        soft_cap_ratio double precision NOT NULL DEFAULT 0.8,
        hard_cap_enabled boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_plan_limits_limits CHECK (least(
          daily_requests_limit, monthly_requests_limit, daily_tokens_limit, monthly_tokens_limit) >= 0),
        CONSTRAINT ck_plan_limits_ratio CHECK (soft_cap_ratio BETWEEN 0 AND 1)
      );
      ${isolateTenantTable('plan_limits')}

      CREATE TABLE usage_counters (
        tenant_id text NOT NULL CONSTRAINT fk_usage_counters_tenant REFERENCES tenants (id),
        period_type text NOT NULL CONSTRAINT ck_usage_counters_period CHECK (period_type IN ('day', 'month')),
        period_start timestamptz NOT NULL,
        requests_count bigint NOT NULL DEFAULT 0,
        estimated_tokens_count bigint,
        hard_cap_noticed_at timestamptz,
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_usage_counters PRIMARY KEY (tenant_id, period_type, period_start)
      );
      CREATE INDEX ix_usage_counters_age ON usage_counters (period_start);
      ${isolateTenantTable('usage_counters')}

      CREATE TABLE usage_rollups (
        tenant_id text NOT NULL CONSTRAINT fk_usage_rollups_tenant REFERENCES tenants (id),
        day date NOT NULL,
        route_class text NOT NULL,
        requests_count bigint NOT NULL DEFAULT 0,
        CONSTRAINT pk_usage_rollups PRIMARY KEY (tenant_id, day, route_class)
      );
      CREATE INDEX ix_usage_rollups_age ON usage_rollups (day);
      ${isolateTenantTable('usage_rollups')}

      CREATE TABLE quota_soft_cap_events (
        tenant_id text NOT NULL CONSTRAINT fk_quota_soft_cap_events_tenant REFERENCES tenants (id),
        id text NOT NULL,
        period_type text NOT NULL,
        period_start timestamptz NOT NULL,
        metric text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_quota_soft_cap_events PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_quota_soft_cap_events_period UNIQUE (tenant_id, period_type, period_start, metric)
      );
      CREATE INDEX ix_quota_soft_cap_events_age ON quota_soft_cap_events (period_start);
      ${isolateTenantTable('quota_soft_cap_events')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE quota_soft_cap_events, usage_rollups, usage_counters, plan_limits;`);
  }
}
