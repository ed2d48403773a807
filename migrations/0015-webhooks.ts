import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * Deliveries to receivers outside, with every attempt. The body is kept as it was signed. Of an endpoint that answered
 * that it is gone, the fingerprint of its address and secrets is kept; another fingerprint is another endpoint.
 */
export class Webhooks implements MigrationInterface {
  readonly name = 'Webhooks1767225600015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE webhook_deliveries (
        tenant_id text NOT NULL CONSTRAINT fk_webhook_deliveries_tenant REFERENCES tenants (id),
        id text NOT NULL,
        endpoint text NOT NULL,
        event_type text NOT NULL,
        body text NOT NULL,
        state text NOT NULL DEFAULT 'pending'
          CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('pending', 'delivered', 'dead', 'cancelled')),
        job_id text NOT NULL,
        attempts int NOT NULL DEFAULT 0,
        replayed_after int NOT NULL DEFAULT 0,
        next_attempt_at timestamptz,
        last_status int,
        last_error text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CONSTRAINT pk_webhook_deliveries PRIMARY KEY (tenant_id, id),
        CONSTRAINT ck_webhook_deliveries_open CHECK (
          (state = 'pending') = (next_attempt_at IS NOT NULL) AND (state = 'pending') = (finished_at IS NULL))
      );
      CREATE INDEX ix_webhook_deliveries_created ON webhook_deliveries (tenant_id, created_at, id);
      CREATE INDEX ix_webhook_deliveries_state ON webhook_deliveries (tenant_id, state, created_at, id);
      CREATE INDEX ix_webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;
      ${isolateTenantTable('webhook_deliveries')}

      CREATE TABLE webhook_attempts (
        tenant_id text NOT NULL,
        delivery_id text NOT NULL,
        number int NOT NULL,
        started_at timestamptz NOT NULL,
        duration_ms int NOT NULL,
        status int,
        error text,
        CONSTRAINT pk_webhook_attempts PRIMARY KEY (tenant_id, delivery_id, number),
        CONSTRAINT fk_webhook_attempts_delivery FOREIGN KEY (tenant_id, delivery_id)
          REFERENCES webhook_deliveries (tenant_id, id) ON DELETE CASCADE
      );
      ${isolateTenantTable('webhook_attempts')}

      CREATE TABLE webhook_stopped_endpoints (
        tenant_id text NOT NULL CONSTRAINT fk_webhook_stopped_endpoints_tenant REFERENCES tenants (id),
        endpoint text NOT NULL,
        fingerprint text NOT NULL,
        stopped_at timestamptz NOT NULL,
        CONSTRAINT pk_webhook_stopped_endpoints PRIMARY KEY (tenant_id, endpoint)
      );
      ${isolateTenantTable('webhook_stopped_endpoints')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE webhook_attempts, webhook_deliveries, webhook_stopped_endpoints;
    `);
  }
}
