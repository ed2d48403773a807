import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { conditionsOf, type AuditFilter } from './audit-filter.js';

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

/** A stored row as it is shown: every column, instants in UTC to the microsecond. */
export interface StoredAuditEvent extends AuditRow {
  readonly id: number;
  readonly created_at: string;
}

export interface EventTally {
  readonly count: number;
  readonly lastAt: Date | null;
}

export type Order = 'newest first' | 'oldest first';

export interface PageRequest {
  readonly filter: AuditFilter;
  readonly order: Order;
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Events to leave out before the page. */
  readonly offset?: number | undefined;
}

const COLUMNS = `occurred_at, tenant_id, actor_type, actor_id, actor_role, subject_id, event_type, outcome,
  resource_type, resource_id, request_id, ip_address, user_agent, metadata_json, error_code`;

const iso = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${column}`;

const SHOWN = `id::text AS id, ${COLUMNS.replace('occurred_at', iso('occurred_at'))}, ${iso('created_at')}`;

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

  /** Events of the tenant by their time, then their id. @throws INVALID_CURSOR */
  async page({ filter, order, limit, cursor, offset = 0 }: PageRequest): Promise<Page<StoredAuditEvent>> {
    const { sql, values } = conditionsOf(filter, [this.uow.tenantId]);
    const parameter = (value: unknown): string => `$${values.push(value)}`;
    const [follows, direction] = order === 'newest first' ? ['<', 'DESC'] : ['>', 'ASC'];
    const after = cursor === undefined ? undefined : decodePosition(cursor);
    const position =
      after &&
      `AND (occurred_at, id) ${follows} (${parameter(after.time)}::timestamptz, ${parameter(after.id)}::bigint)`;
    const rows = await this.uow.rows<ShownRow>(
      `SELECT ${SHOWN} FROM audit_events e WHERE tenant_id = $1 ${sql} ${position ?? ''}
        ORDER BY e.occurred_at ${direction}, e.id ${direction}
        LIMIT ${parameter(limit + 1)} OFFSET ${parameter(offset)}`,
      values,
    );
    return Page.of(rows.map(shown), limit, positionOf);
  }

  async find(id: number): Promise<StoredAuditEvent | undefined> {
    const row = await this.uow.first<ShownRow>(`SELECT ${SHOWN} FROM audit_events WHERE tenant_id = $1 AND id = $2`, [
      this.uow.tenantId,
      id,
    ]);
    return row === undefined ? undefined : shown(row);
  }

  async tally(eventType: string, since: Date): Promise<EventTally> {
    const row = await this.uow.first<EventTally>(
      `SELECT coalesce(sum(coalesce((metadata_json->>'repeats')::bigint, 1)), 0)::float8 AS count,
              max(occurred_at) AS "lastAt"
         FROM audit_events WHERE tenant_id = $1 AND event_type = $2 AND occurred_at >= $3`,
      [this.uow.tenantId, eventType, since],
    );
    return row ?? { count: 0, lastAt: null };
  }
}

type ShownRow = Omit<StoredAuditEvent, 'id'> & { readonly id: string };

function shown(row: ShownRow): StoredAuditEvent {
  return { ...row, id: Number(row.id) };
}

/** Sort values as the database prints them. */
function positionOf({ occurred_at: at, id }: StoredAuditEvent): [time: string, id: string] {
  return [`${at.slice(0, 10)} ${at.slice(11, -1)}+00`, String(id)];
}

function decodePosition(cursor: string): { time: string; id: string } {
  const [time = '', id = ''] = decodeCursor(cursor, ['timestamp', 'text']);
  if (!/^\d{1,15}$/.test(id)) throw commonErrors.INVALID_CURSOR();
  return { time, id };
}
