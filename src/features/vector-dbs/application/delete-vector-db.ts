import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { VECTOR_DB_DELETED } from '../domain/attachment.js';
import { AttachmentsRepository } from '../persistence/attachments.repository.js';
import { VectorDbsRepository } from '../persistence/vector-dbs.repository.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { actor } from './actor.js';
import { AttachmentTrail } from './attachment-trail.js';
import { VectorDbs } from './vector-dbs.js';

@Injectable()
export class DeleteVectorDb {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbs,
    private readonly stored: VectorDbsRepository,
    private readonly attachments: AttachmentsRepository,
    private readonly trail: AttachmentTrail,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * @param force detaches what is attached to it.
   * @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH, VECTOR_DB_HAS_ACTIVE_ATTACHMENTS
   */
  async delete(id: number, force: boolean): Promise<void> {
    const by = actor().subjectId;
    await this.uow.run(async () => {
      const db = await this.dbs.owned(id, 'FOR UPDATE');
      const detached = await this.attachments.detachAll(id, { reason: VECTOR_DB_DELETED, by });
      if (detached.length > 0 && !force) {
        throw vectorDbsErrors.VECTOR_DB_HAS_ACTIVE_ATTACHMENTS({ details: { active_attachments: detached.length } });
      }
      await this.stored.delete(id);
      await this.trail.record('detached', detached);
      await this.audit.record({
        event: 'vector_db.deleted',
        outcome: 'success',
        resourceType: 'vector_db',
        resourceId: String(id),
        metadata: { vector_db_id: id, db_type: db.dbType, region: db.region },
      });
    });
  }
}
