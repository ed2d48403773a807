import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

/** How many there are of what a console filters by. */
export interface Facets {
  readonly attachments: { readonly active: number; readonly detached: number };
  readonly incidents: { readonly open: number; readonly resolved: number };
  /** Of open incidents, by severity; those that nobody has are missing. */
  readonly severities: Readonly<Record<string, number>>;
}

@Injectable()
export class GovernanceRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async facets(vectorDbId: number): Promise<Facets | undefined> {
    return this.uow.first<Facets>(
      `SELECT (SELECT jsonb_build_object('active', count(*) FILTER (WHERE detached_at IS NULL),
                                         'detached', count(*) FILTER (WHERE detached_at IS NOT NULL))
                 FROM vector_db_attachments WHERE tenant_id = $1 AND vector_db_id = $2) AS attachments,
              (SELECT jsonb_build_object('open', count(*) FILTER (WHERE resolved_at IS NULL),
                                         'resolved', count(*) FILTER (WHERE resolved_at IS NOT NULL))
                 FROM vector_db_incident_logs WHERE tenant_id = $1 AND vector_db_id = $2) AS incidents,
              (SELECT COALESCE(jsonb_object_agg(severity, found), '{}')
                 FROM (SELECT severity, count(*) AS found FROM vector_db_incident_logs
                        WHERE tenant_id = $1 AND vector_db_id = $2 AND resolved_at IS NULL GROUP BY severity) AS open
              ) AS severities`,
      [this.uow.tenantId, vectorDbId],
    );
  }
}
