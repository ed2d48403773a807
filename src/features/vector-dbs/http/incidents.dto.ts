import { Transform } from 'class-transformer';
import { IsIn, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsJson, IsUuid, lower, PageQuery, trim } from '../../../platform/http/index.js';
import { INCIDENT_STATES, SEVERITIES, type Incident } from '../domain/incident.js';

const MAX_SUMMARY = 2000;

export class LogIncidentDto {
  /** Such as `residency_breach`. */
  @Transform(trim)
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  incident_type!: string;

  @IsOptional()
  @IsIn(SEVERITIES)
  severity?: (typeof SEVERITIES)[number] | null = 'medium';

  /** Of this vector database; also one that was detached. */
  @IsOptional()
  @Transform(lower)
  @IsUuid()
  attachment_id?: string | null;

  @IsOptional()
  @IsString()
  @MaxLength(MAX_SUMMARY)
  summary?: string | null;

  /** At most 64 KiB. Of one that takes up an earlier incident: `{"reopens": "<id>"}`. */
  @IsOptional()
  @IsJson(64)
  notes?: unknown;
}

export class ResolveIncidentDto {
  /** Replaces the summary. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_SUMMARY)
  resolution_summary?: string | null;

  /** Replaces the notes; at most 64 KiB. */
  @IsOptional()
  @IsJson(64)
  resolution_notes?: unknown;
}

/** On a page unless more are asked for: each may have three notes of 64 KiB. */
export const INCIDENTS_PAGE = 50;

export class ListIncidentsQuery extends PageQuery {
  override limit?: number = INCIDENTS_PAGE;

  @IsOptional()
  @IsIn(INCIDENT_STATES)
  status?: (typeof INCIDENT_STATES)[number];
}

export class IncidentEventDto {
  event!: 'opened' | 'resolved';
  occurred_at!: string;
  actor_id!: string;
  /** As it was until then. */
  summary!: string | null;
  /** As they were until then. */
  notes!: unknown;
}

export class IncidentDto {
  id!: string;
  vector_db_id!: number;
  attachment_id!: string | null;
  incident_type!: string;
  severity!: string;
  /** Opened by the platform. */
  automatic!: boolean;
  occurred_at!: string;
  resolved_at!: string | null;
  resolved_by!: string | null;
  summary!: string | null;
  notes!: unknown;
  history!: IncidentEventDto[];
}

export function toIncidentDto(incident: Incident): IncidentDto {
  return {
    id: incident.id,
    vector_db_id: incident.vectorDbId,
    attachment_id: incident.attachmentId,
    incident_type: incident.incidentType,
    severity: incident.severity,
    automatic: incident.automatic,
    occurred_at: incident.occurredAt.toISOString(),
    resolved_at: incident.resolvedAt?.toISOString() ?? null,
    resolved_by: incident.resolvedBy,
    summary: incident.summary,
    notes: incident.notes,
    history: incident.history.map((event) => ({ ...event, occurred_at: new Date(event.occurred_at).toISOString() })),
  };
}
