import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

/** One row to be written. Keys are the columns of `audit_events`. */
export interface AuditRow {
  readonly occurred_at: string;
  readonly tenant_id: string | null;
  readonly actor_type: string;
  readonly actor_id: string | null;
  readonly actor_role: string | null;
  readonly subject_id: string | null;
  readonly event_type: string;
  readonly outcome: 'success' | 'failure';
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly request_id: string | null;
  readonly ip_address: string | null;
  readonly user_agent: string | null;
  readonly metadata_json: Readonly<Record<string, unknown>> | null;
  readonly error_code: string | null;
}

const COLUMNS = `occurred_at, tenant_id, actor_type, actor_id, actor_role, subject_id, event_type, outcome,
  resource_type, resource_id, request_id, ip_address, user_agent, metadata_json, error_code`;

@Injectable()
export class AuditEventsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Adds rows in one statement of the current unit. */
  async insert(rows: readonly AuditRow[]): Promise<void> {
    await this.uow.execute(
      `INSERT INTO audit_events (${COLUMNS})
       SELECT ${COLUMNS} FROM jsonb_populate_recordset(NULL::audit_events, $1::jsonb)`,
      [JSON.stringify(rows)],
    );
  }

  /** Adds rows of several tenants in a transaction of their own. */
  async insertAcrossTenants(rows: readonly AuditRow[]): Promise<void> {
    await this.uow.acrossTenants('audit', () => this.insert(rows));
  }
}
