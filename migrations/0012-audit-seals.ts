import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * Tamper evidence and retention of the audit trail. The chain of a tenant is its events in the order of their ids; events
 * of no tenant are the chain `-`. A seal holds the ids and hashes of some events in a row, so that the events themselves
 * are never changed. An anchor is the last event that retention removed.
 *
 * Only `prune_audit_events` deletes, as a role that nobody is logged in as: the oldest sealed events of one chain, none
 * younger than a day, and always together with the new anchor.
 */
export class AuditSeals implements MigrationInterface {
  readonly name = 'AuditSeals1767225600012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX ix_audit_events_chain ON audit_events ((COALESCE(tenant_id, '-')), id);

      CREATE TABLE audit_seals (
        tenant_id text NOT NULL,
        last_event_id bigint NOT NULL,
        event_count int NOT NULL,
        event_ids bigint[] NOT NULL,
        row_hashes bytea NOT NULL,
        root bytea NOT NULL,
        occurred_from timestamptz NOT NULL,
        occurred_to timestamptz NOT NULL,
        sealed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_audit_seals PRIMARY KEY (tenant_id, last_event_id),
        CONSTRAINT ck_audit_seals_count
          CHECK (event_count = cardinality(event_ids) AND length(row_hashes) = 32 * event_count)
      );
      CREATE INDEX ix_audit_seals_last ON audit_seals (last_event_id);
      CREATE INDEX ix_audit_seals_age ON audit_seals (occurred_from);
      ${isolateTenantTable('audit_seals', { privileges: 'SELECT, INSERT' })}

      CREATE TABLE audit_anchors (
        tenant_id text NOT NULL CONSTRAINT pk_audit_anchors PRIMARY KEY,
        event_id bigint NOT NULL,
        row_hash bytea NOT NULL,
        pruned_at timestamptz NOT NULL DEFAULT now()
      );
      ${isolateTenantTable('audit_anchors', { privileges: 'SELECT, INSERT' })}
      REVOKE INSERT ON audit_seals, audit_anchors FROM nexusrag_app;

      ${PRUNE_FUNCTION}

      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nexusrag_retention') THEN
          CREATE ROLE nexusrag_retention NOLOGIN;
        END IF;
        EXECUTE format('GRANT nexusrag_retention TO %I', session_user);
        GRANT nexusrag_system TO nexusrag_retention;
        GRANT DELETE ON audit_events, audit_seals TO nexusrag_retention;
        GRANT UPDATE ON audit_anchors TO nexusrag_retention;
        EXECUTE format('ALTER FUNCTION prune_audit_events SET search_path = %I, pg_temp', current_schema());
        EXECUTE format('GRANT CREATE ON SCHEMA %I TO nexusrag_retention', current_schema());
        ALTER FUNCTION prune_audit_events OWNER TO nexusrag_retention;
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM nexusrag_retention', current_schema());
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION prune_audit_events;
      DROP TABLE audit_anchors;
      DROP TABLE audit_seals;
      DROP INDEX ix_audit_events_chain;
      REVOKE DELETE ON audit_events FROM nexusrag_retention;
    `);
  }
}

/**
 * Removes the oldest events of a chain that are before the cutoff, up to the first that is not, and returns how many
 * links of the chain that were: at most `most`, and those of a hundred seals. An event that is missing although it was sealed
 * counts as old as its seal, so that the evidence is kept as long as the event would have been. The newest seal stays: the
 * next one goes on from it.
 */
const PRUNE_FUNCTION = `
  CREATE FUNCTION prune_audit_events(chain text, cutoff timestamptz, most int) RETURNS int
  LANGUAGE plpgsql SECURITY DEFINER AS $$
  DECLARE
    anchored bigint := COALESCE((SELECT a.event_id FROM audit_anchors a WHERE a.tenant_id = chain), 0);
    oldest_kept timestamptz := LEAST(cutoff, now() - interval '1 day');
    last_id bigint;
    last_hash bytea;
    links int;
  BEGIN
    SELECT old.event_id, old.row_hash, old.n INTO last_id, last_hash, links
      FROM (
        SELECT link.event_id, link.row_hash, row_number() OVER (ORDER BY link.event_id) AS n,
               bool_and(link.since < oldest_kept) OVER (ORDER BY link.event_id) AS prunable
          FROM (
            SELECT u.event_id, substring(s.row_hashes FROM (u.n::int - 1) * 32 + 1 FOR 32) AS row_hash,
                   COALESCE(e.occurred_at, s.sealed_at) AS since
              FROM (SELECT * FROM audit_seals
                     WHERE tenant_id = chain AND last_event_id > anchored ORDER BY last_event_id LIMIT 100) s
             CROSS JOIN LATERAL unnest(s.event_ids) WITH ORDINALITY AS u (event_id, n)
              LEFT JOIN audit_events e ON e.id = u.event_id AND COALESCE(e.tenant_id, '-') = chain
             WHERE u.event_id > anchored ORDER BY u.event_id LIMIT most
          ) link
      ) old
     WHERE old.prunable ORDER BY old.event_id DESC LIMIT 1;
    IF last_id IS NULL THEN
      RETURN 0;
    END IF;
    DELETE FROM audit_events e WHERE COALESCE(e.tenant_id, '-') = chain AND e.id <= last_id;
    DELETE FROM audit_seals s
     WHERE s.tenant_id = chain AND s.last_event_id <= last_id
       AND s.last_event_id < (SELECT max(m.last_event_id) FROM audit_seals m WHERE m.tenant_id = chain);
    INSERT INTO audit_anchors (tenant_id, event_id, row_hash) VALUES (chain, last_id, last_hash)
      ON CONFLICT (tenant_id) DO UPDATE
      SET event_id = excluded.event_id, row_hash = excluded.row_hash, pruned_at = excluded.pruned_at;
    RETURN links;
  END $$;
  REVOKE ALL ON FUNCTION prune_audit_events FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION prune_audit_events TO nexusrag_system;
`;
