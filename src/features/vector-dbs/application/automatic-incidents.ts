import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { OCCURRENCE_INTERVAL_MS, type AutomaticIncident } from '../domain/incident.js';
import { IncidentsRepository } from '../persistence/incidents.repository.js';

interface Affected {
  readonly vectorDbId: number;
  readonly id: string;
}

/** Incidents that the platform opens by itself: of one type at most one that is open for each attachment. */
@Injectable()
export class AutomaticIncidents {
  constructor(
    private readonly incidents: IncidentsRepository,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Occurrences since then count no more: each incident counts once a minute. */
  quietSince(): Date {
    return new Date(this.clock.now().getTime() - OCCURRENCE_INTERVAL_MS);
  }

  /** In the transaction that is open. @returns its id when it was opened, and undefined when one was open already. */
  async open(
    { vectorDbId, id: attachmentId }: Affected,
    { type, severity }: AutomaticIncident,
  ): Promise<string | undefined> {
    const id = this.ids.uuid();
    const incident = { id, type, severity, vectorDbId, attachmentId, at: this.clock.now() };
    if (!(await this.incidents.openOnce(incident, this.quietSince()))) return undefined;
    await this.audit.record({
      event: 'vector_db.incident.logged',
      outcome: 'success',
      resourceType: 'vector_db_incident',
      resourceId: id,
      metadata: {
        vector_db_id: vectorDbId,
        incident_id: id,
        incident_type: type,
        severity,
        attachment_id: attachmentId,
        auto: true,
      },
    });
    return id;
  }
}
