import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Severity } from '../domain/incident.js';
import type { EnforcementMode, ResidencyPolicy } from '../domain/residency-policy.js';

/** How a corpus is attached to the vector database that it names. */
export interface CorpusAttachment {
  readonly id: string;
  readonly vectorDbId: number;
  readonly bindingId: string;
  /** Of the vector database. */
  readonly region: string | null;
  readonly policyId: number;
  readonly policyRegion: string;
  readonly classification: ResidencyPolicy['dataClassification'];
  readonly mode: EnforcementMode;
  readonly active: boolean;
  /** How severe its open automatic incidents are that counted after `quietSince`, by type. */
  readonly quiet: Readonly<Partial<Record<string, Severity>>>;
}

/** What the gate asks before every governed request, in one statement that finds all by key. */
@Injectable()
export class CorpusAttachmentsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async find(vectorDbId: number, corpusId: string, quietSince: Date): Promise<CorpusAttachment | undefined> {
    return this.uow.first<CorpusAttachment>(
      `SELECT a.id, a.vector_db_id AS "vectorDbId", a.provider_key_binding_id AS "bindingId", d.region,
              p.id AS "policyId", p.region AS "policyRegion", p.data_classification AS classification,
              p.enforcement_mode AS mode, p.active,
              (SELECT COALESCE(jsonb_object_agg(i.incident_type, i.severity), '{}') FROM vector_db_incident_logs i
                WHERE i.tenant_id = a.tenant_id AND i.vector_db_id = a.vector_db_id AND i.attachment_id = a.id
                  AND i.automatic AND i.resolved_at IS NULL
                  AND (i.notes ->> 'last_seen_at')::timestamptz >= $4) AS quiet
         FROM vector_db_attachments a
         JOIN vector_dbs d ON d.tenant_id = a.tenant_id AND d.id = a.vector_db_id AND d.deleted_at IS NULL
         JOIN vector_db_residency_policies p ON p.tenant_id = a.tenant_id AND p.id = a.residency_policy_id
        WHERE a.tenant_id = $1 AND a.vector_db_id = $2 AND a.attachment_type = 'corpus' AND a.attachment_ref = $3
          AND a.detached_at IS NULL`,
      [this.uow.tenantId, vectorDbId, corpusId, quietSince],
    );
  }
}
