import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Incident, IncidentState, Severity } from '../domain/incident.js';
import { IncidentsRepository } from '../persistence/incidents.repository.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { actor } from './actor.js';
import { VectorDbs } from './vector-dbs.js';

export interface IncidentReport {
  readonly incidentType: string;
  readonly severity: Severity;
  readonly attachmentId: string | null;
  readonly summary: string | null;
  readonly notes: unknown;
}

export interface ListedIncidents {
  readonly state?: IncidentState | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

@Injectable()
export class Incidents {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbs,
    private readonly incidents: IncidentsRepository,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Newest first. @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH, INVALID_CURSOR */
  async list(vectorDbId: number, listed: ListedIncidents): Promise<Page<Incident>> {
    return this.uow.read(async () => {
      await this.dbs.owned(vectorDbId);
      return this.incidents.list(vectorDbId, listed);
    });
  }

  /** @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH, ATTACHMENT_NOT_FOUND */
  async log(vectorDbId: number, report: IncidentReport): Promise<Incident> {
    const id = this.ids.uuid();
    const openedBy = actor().subjectId;
    return this.uow.run(async () => {
      await this.dbs.owned(vectorDbId);
      await this.incidents.insert({ ...report, id, vectorDbId, openedBy, occurredAt: this.clock.now() });
      return this.#recorded('vector_db.incident.logged', vectorDbId, id);
    });
  }

  /**
   * What is given replaces what the incident says; its history keeps that.
   *
   * @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH, INCIDENT_NOT_FOUND, INCIDENT_ALREADY_RESOLVED
   */
  async resolve(vectorDbId: number, id: string, given: { summary?: string; notes?: unknown }): Promise<Incident> {
    const by = actor().subjectId;
    return this.uow.run(async () => {
      await this.dbs.owned(vectorDbId);
      if (!(await this.incidents.resolve(vectorDbId, id, { ...given, by, at: this.clock.now() }))) {
        const there = await this.incidents.find(vectorDbId, id);
        throw there === undefined ? vectorDbsErrors.INCIDENT_NOT_FOUND() : vectorDbsErrors.INCIDENT_ALREADY_RESOLVED();
      }
      return this.#recorded('vector_db.incident.resolved', vectorDbId, id);
    });
  }

  async #recorded(event: string, vectorDbId: number, id: string): Promise<Incident> {
    const incident = await this.incidents.find(vectorDbId, id);
    if (incident === undefined) throw vectorDbsErrors.INCIDENT_NOT_FOUND();
    await this.audit.record({
      event,
      outcome: 'success',
      resourceType: 'vector_db_incident',
      resourceId: id,
      metadata: {
        vector_db_id: vectorDbId,
        incident_id: id,
        incident_type: incident.incidentType,
        severity: incident.severity,
        attachment_id: incident.attachmentId,
        auto: incident.automatic,
      },
    });
    return incident;
  }
}
