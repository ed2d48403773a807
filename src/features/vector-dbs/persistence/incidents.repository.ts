import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import { SEVERITIES, type AutomaticIncident, type Incident, type IncidentState } from '../domain/incident.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';

export interface NewIncident {
  readonly id: string;
  readonly vectorDbId: number;
  readonly attachmentId: string | null;
  readonly incidentType: string;
  readonly severity: Incident['severity'];
  readonly openedBy: string;
  readonly occurredAt: Date;
  readonly summary: string | null;
  readonly notes: unknown;
}

export interface OpenIncident extends AutomaticIncident {
  readonly id: string;
  readonly vectorDbId: number;
  readonly attachmentId: string;
}

/** As it is now; `before` is how severe it was, undefined when it was not open. */
export type OpenedIncident = OpenIncident & { readonly before: Incident['severity'] | undefined };

export interface Resolution {
  readonly by: string;
  readonly at: Date;
  /** Undefined keeps what is there. */
  readonly summary?: string | undefined;
  readonly notes?: unknown;
}

/** Incidents and their history, which is only ever added to. */
@Injectable()
export class IncidentsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list(
    vectorDbId: number,
    { state, limit, cursor }: { state?: IncidentState | undefined; limit: number; cursor?: string | undefined },
  ): Promise<Page<Incident>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'uuid']);
    const rows = await this.uow.rows<Incident & { position: string }>(
      `SELECT ${COLUMNS}, i.occurred_at::text AS position FROM vector_db_incident_logs i
        WHERE i.tenant_id = $1 AND i.vector_db_id = $2
          AND ($3::boolean IS NULL OR (i.resolved_at IS NULL) = $3::boolean)
          AND ($4::timestamptz IS NULL OR (i.occurred_at, i.id) < ($4::timestamptz, $5::uuid))
        ORDER BY i.occurred_at DESC, i.id DESC LIMIT $6`,
      [
        this.uow.tenantId,
        vectorDbId,
        state === undefined ? null : state === 'open',
        time ?? null,
        id ?? null,
        limit + 1,
      ],
    );
    return Page.of(rows, limit, ({ position, id: last }) => [position, last]);
  }

  async find(vectorDbId: number, id: string): Promise<Incident | undefined> {
    return this.uow.first<Incident>(
      `SELECT ${COLUMNS} FROM vector_db_incident_logs i WHERE i.tenant_id = $1 AND i.vector_db_id = $2 AND i.id = $3`,
      [this.uow.tenantId, vectorDbId, id],
    );
  }

  /** @throws ATTACHMENT_NOT_FOUND for one that this vector database does not have. */
  async insert(incident: NewIncident): Promise<void> {
    await constraints({ fk_vector_db_incident_logs_attachment: noSuchAttachment }, () =>
      this.uow.execute(`${INSERT} ${OPENED}`, this.#values(incident)),
    );
  }

  /**
   * Opens automatic incidents of attachments. While one of its type is open for an attachment, that one becomes as severe
   * as the new one, and counts once more instead, unless it did after `quietSince`.
   *
   * @returns those that are open now. One that was resolved at this moment is missing.
   */
  async openEach(incidents: readonly OpenIncident[], at: Date, quietSince: Date): Promise<OpenedIncident[]> {
    const notes = { occurrences: 1, last_seen_at: at.toISOString() };
    const opened = await this.uow.rows<{ id: string }>(
      `WITH opened AS (
         INSERT INTO vector_db_incident_logs (tenant_id, id, vector_db_id, attachment_id, incident_type, severity,
           automatic, opened_by, occurred_at, notes)
         SELECT $1, g.id, g."vectorDbId", g."attachmentId", g.type, g.severity, true, 'system', $3, $4::jsonb FROM ${GIVEN}
         ON CONFLICT (tenant_id, vector_db_id, attachment_id, incident_type) WHERE automatic AND resolved_at IS NULL
         DO NOTHING ${OPENED} RETURNING incident_id AS id`,
      [this.uow.tenantId, JSON.stringify(incidents), at, JSON.stringify(notes)],
    );
    const ids = new Set(opened.map(({ id }) => id));
    const rest = incidents.filter(({ id }) => !ids.has(id));
    const news = incidents.filter(({ id }) => ids.has(id)).map((incident) => ({ ...incident, before: undefined }));
    return rest.length === 0 ? news : [...news, ...(await this.#countEach(rest, at, quietSince))];
  }

  async #countEach(incidents: readonly OpenIncident[], at: Date, quietSince: Date): Promise<OpenedIncident[]> {
    return this.uow.rows<OpenedIncident>(
      `WITH found AS (
         SELECT i.id, i.incident_type AS type, i.vector_db_id AS "vectorDbId", i.attachment_id AS "attachmentId",
                i.severity AS before, (i.notes ->> 'last_seen_at')::timestamptz < $4 AS due,
                CASE WHEN array_position($5::text[], g.severity) > array_position($5::text[], i.severity)
                     THEN g.severity ELSE i.severity END AS severity
           FROM ${GIVEN} JOIN vector_db_incident_logs i
             ON i.tenant_id = $1 AND i.vector_db_id = g."vectorDbId" AND i.attachment_id = g."attachmentId"
            AND i.incident_type = g.type AND i.automatic AND i.resolved_at IS NULL FOR UPDATE OF i
       ), counted AS (
         UPDATE vector_db_incident_logs i
            SET severity = f.severity, notes = CASE WHEN NOT f.due THEN i.notes ELSE i.notes ||
                  jsonb_build_object('occurrences', (i.notes ->> 'occurrences')::int + 1, 'last_seen_at', $3::text) END
           FROM found f WHERE i.tenant_id = $1 AND i.id = f.id AND (f.due OR f.severity <> f.before)
       )
       SELECT id, type, severity, "vectorDbId", "attachmentId", before FROM found`,
      [this.uow.tenantId, JSON.stringify(incidents), at.toISOString(), quietSince, SEVERITIES],
    );
  }

  /** False when it is not open: of any number that try at once, one succeeds. */
  async resolve(vectorDbId: number, id: string, { by, at, summary, notes }: Resolution): Promise<boolean> {
    const resolved = await this.uow.execute(
      `WITH before AS (
         SELECT summary, notes FROM vector_db_incident_logs
          WHERE tenant_id = $1 AND vector_db_id = $2 AND id = $3 AND resolved_at IS NULL FOR UPDATE
       ), closed AS (
         UPDATE vector_db_incident_logs i
            SET resolved_by = $4, resolved_at = $5, summary = COALESCE($6, i.summary), notes = COALESCE($7::jsonb, i.notes)
           FROM before WHERE i.tenant_id = $1 AND i.id = $3 AND i.resolved_at IS NULL
         RETURNING before.summary, before.notes
       )
       INSERT INTO vector_db_incident_events (tenant_id, incident_id, event, occurred_at, actor_id, summary, notes)
       SELECT $1, $3, 'resolved', $5, $4, summary, notes FROM closed`,
      [this.uow.tenantId, vectorDbId, id, by, at, summary ?? null, notes == null ? null : JSON.stringify(notes)],
    );
    return resolved === 1;
  }

  #values(incident: NewIncident): unknown[] {
    return [
      this.uow.tenantId,
      incident.id,
      incident.vectorDbId,
      incident.attachmentId,
      incident.incidentType,
      incident.severity,
      incident.openedBy,
      incident.occurredAt,
      incident.summary,
      JSON.stringify(incident.notes),
    ];
  }
}

function noSuchAttachment(): Error {
  return vectorDbsErrors.ATTACHMENT_NOT_FOUND({ message: 'Attachment not found for vector db' });
}

const INSERT = `WITH opened AS (
  INSERT INTO vector_db_incident_logs (tenant_id, id, vector_db_id, attachment_id, incident_type, severity, automatic,
    opened_by, occurred_at, summary, notes) VALUES ($1, $2, $3, $4, $5, $6, false, $7, $8, $9, $10::jsonb)`;

/** Automatic incidents that are given as $2. */
const GIVEN = `jsonb_to_recordset($2::jsonb)
  AS g (id uuid, "vectorDbId" int, "attachmentId" uuid, type text, severity text)`;

/** Number of rows: those that were opened. */
const OPENED = `RETURNING tenant_id, id, occurred_at, opened_by, summary, notes
  ) INSERT INTO vector_db_incident_events (tenant_id, incident_id, event, occurred_at, actor_id, summary, notes)
    SELECT tenant_id, id, 'opened', occurred_at, opened_by, summary, notes FROM opened`;

const COLUMNS = `i.id, i.vector_db_id AS "vectorDbId", i.attachment_id AS "attachmentId",
  i.incident_type AS "incidentType", i.severity, i.automatic, i.occurred_at AS "occurredAt",
  i.resolved_at AS "resolvedAt", i.resolved_by AS "resolvedBy", i.summary, i.notes,
  (SELECT COALESCE(jsonb_agg(jsonb_build_object('event', e.event, 'occurred_at', e.occurred_at, 'actor_id', e.actor_id,
                             'summary', e.summary, 'notes', e.notes) ORDER BY e.occurred_at, e.event), '[]')
     FROM vector_db_incident_events e WHERE e.tenant_id = i.tenant_id AND e.incident_id = i.id) AS history`;
