import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { AttachmentChecks, rejected, type AttachmentRequest, type Rejection } from './attachment-checks.js';
import { Attachments, type AttachmentWithKey } from './attachments.js';
import { AutomaticIncidents } from './automatic-incidents.js';
import type { JudgeRegions } from './data-plane-regions.js';
import { VectorDbs } from './vector-dbs.js';

/** Attaches a workload to a vector database, while its residency policy and the customer's key allow it. */
@Injectable()
export class AttachWorkload {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbs,
    private readonly checks: AttachmentChecks,
    private readonly attachments: Attachments,
    private readonly incidents: AutomaticIncidents,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH, then the first of RESIDENCY_POLICY_NOT_FOUND,
   * RESIDENCY_POLICY_INACTIVE, PROVIDER_KEY_BINDING_NOT_FOUND, PROVIDER_KEY_BINDING_SCOPE_MISMATCH,
   * PROVIDER_KEY_NOT_USABLE, residency.vector_db_mismatch, NOT_FOUND (corpus), ATTACHMENT_ALREADY_EXISTS. What was
   * rejected is in the audit trail.
   */
  async attach(vectorDbId: number, request: AttachmentRequest): Promise<AttachmentWithKey> {
    const judge = await this.checks.regions();
    const outcome = await this.uow.run(async () => {
      const attached = await this.#attach(vectorDbId, request, judge);
      if ('error' in attached) await this.#reject(vectorDbId, request, attached);
      return attached;
    });
    if ('error' in outcome) throw outcome.error;
    return outcome;
  }

  async #attach(
    vectorDbId: number,
    request: AttachmentRequest,
    judge: JudgeRegions,
  ): Promise<AttachmentWithKey | Rejection> {
    const db = await this.dbs.owned(vectorDbId, 'FOR SHARE');
    const checked = await this.checks.check(db, request, judge);
    if ('error' in checked) return checked;
    const { bindingNamesDb, incident } = checked;
    const attachment = await this.attachments.add({ vectorDbId, bindingNamesDb, ...request });
    if (attachment === undefined) return rejected('duplicate', vectorDbsErrors.ATTACHMENT_ALREADY_EXISTS());
    if (incident !== undefined) await this.incidents.open([{ ...incident, attachment }]);
    return attachment;
  }

  async #reject(vectorDbId: number, request: AttachmentRequest, { check, error }: Rejection): Promise<void> {
    await this.audit.record({
      event: 'vector_db.attachment.rejected',
      outcome: 'failure',
      resourceType: 'vector_db',
      resourceId: String(vectorDbId),
      errorCode: error.code,
      metadata: { vector_db_id: vectorDbId, check, policy_id: request.policyId, binding_id: request.bindingId },
    });
  }
}
