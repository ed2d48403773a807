import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { KeyState } from '../domain/binding.js';
import type { SlaEvent } from '../domain/rotation-sla.js';

export interface DueKey {
  readonly tenantId: string;
  readonly providerId: string;
  readonly keyId: string;
  readonly state: KeyState;
  readonly version: number;
  readonly dueAt: Date;
  /** The deadline as the database prints it. */
  readonly position: string;
}

export interface DueEvent {
  readonly key: DueKey;
  readonly type: SlaEvent;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Deadlines of the keys of all tenants. */
@Injectable()
export class RotationSlaRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Lets one process at a time announce deadlines; until the end of the transaction. */
  async lock(): Promise<boolean> {
    const row = await this.uow.first<{ locked: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtextextended('nexusrag.key-rotations', 0)) AS locked`,
    );
    return row?.locked === true;
  }

  /** Keys in use whose deadline is not after this moment, in the order of their deadlines. */
  async due(until: Date, limit: number, after?: DueKey): Promise<DueKey[]> {
    return this.uow.rows<DueKey>(
      `SELECT tenant_id AS "tenantId", provider_id AS "providerId", id AS "keyId", state, version::int AS version,
              rotation_due_at AS "dueAt", rotation_due_at::text AS position
         FROM provider_keys
        WHERE state IN ('active', 'rotating') AND rotation_due_at <= $1
          AND ($2::timestamptz IS NULL OR (rotation_due_at, tenant_id, id) > ($2::timestamptz, $3::text, $4::uuid))
        ORDER BY rotation_due_at, tenant_id, id LIMIT $5`,
      [until, after?.position ?? null, after?.tenantId ?? null, after?.keyId ?? null, limit],
    );
  }

  /**
   * Adds those to the ledgers that were not announced since `since`, nor in the bucket.
   *
   * @returns the keys that were.
   */
  async announce(events: readonly DueEvent[], at: Date, since: Date, bucket: string): Promise<ReadonlySet<string>> {
    const given = JSON.stringify(
      events.map(({ key: { tenantId, providerId, keyId }, type, payload }) => ({
        tenant_id: tenantId,
        provider_id: providerId,
        provider_key_id: keyId,
        event_type: type,
        payload,
      })),
    );
    await this.uow.execute(
      `SELECT 1 FROM providers p
        WHERE EXISTS (SELECT FROM ${NEW} WHERE e.tenant_id = p.tenant_id AND e.provider_id = p.id)
        ORDER BY p.tenant_id, p.id FOR NO KEY UPDATE`,
      [given, since],
    );
    const rows = await this.uow.rows<{ keyId: string }>(
      `INSERT INTO provider_key_audit_events
         (tenant_id, provider_id, provider_key_id, event_type, payload, occurred_at, bucket)
       SELECT e.tenant_id, e.provider_id, e.provider_key_id, e.event_type, e.payload, $3, $4 FROM ${NEW}
       ON CONFLICT DO NOTHING RETURNING provider_key_id AS "keyId"`,
      [given, since, at, bucket],
    );
    return new Set(rows.map(({ keyId }) => keyId));
  }
}

/** $1 the events, $2 the time since which none of the kind may have been announced. */
const NEW = `(SELECT d.* FROM jsonb_to_recordset($1::jsonb)
    AS d (tenant_id text, provider_id uuid, provider_key_id uuid, event_type text, payload jsonb)
  WHERE NOT EXISTS (SELECT FROM provider_key_audit_events a
    WHERE a.tenant_id = d.tenant_id AND a.provider_key_id = d.provider_key_id AND a.event_type = d.event_type
      AND a.occurred_at >= $2)) AS e`;
