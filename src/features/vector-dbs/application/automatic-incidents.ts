import { Injectable } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { OCCURRENCE_INTERVAL_MS, type AutomaticIncident } from '../domain/incident.js';
import { IncidentsRepository, type OpenedIncident } from '../persistence/incidents.repository.js';

export interface IncidentOfAttachment extends AutomaticIncident {
  readonly attachment: { readonly vectorDbId: number; readonly id: string };
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

  /**
   * In the transaction that is open. One that is open already counts once more, and becomes as severe as the new one.
   *
   * @param found each with another attachment or type.
   * @returns ids of the incidents by their attachment; of several, of the last one.
   */
  async open(found: readonly IncidentOfAttachment[]): Promise<ReadonlyMap<string, string>> {
    if (found.length === 0) return new Map();
    const incidents = found.map(({ type, severity, attachment: { vectorDbId, id: attachmentId } }) => ({
      id: this.ids.uuid(),
      type,
      severity,
      vectorDbId,
      attachmentId,
    }));
    const open = await this.incidents.openEach(incidents, this.clock.now(), this.quietSince());
    const news = open.flatMap(eventsOf);
    if (news.length > 0) await this.audit.record(...news);
    return new Map(open.map(({ attachmentId, id }) => [attachmentId, id]));
  }
}

function eventsOf({ id, type, severity, vectorDbId, attachmentId, before }: OpenedIncident): AuditEntry[] {
  if (before === severity) return [];
  return [
    {
      event: before === undefined ? 'vector_db.incident.logged' : 'vector_db.incident.raised',
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
        ...(before === undefined ? {} : { previous_severity: before }),
      },
    },
  ];
}
