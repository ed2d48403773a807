import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import type { Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { PolicyChanges, ResidencyPolicy } from '../domain/residency-policy.js';
import { ResidencyPoliciesRepository } from '../persistence/residency-policies.repository.js';
import { VectorDbs } from './vector-dbs.js';

@Injectable()
export class ResidencyPolicies {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbs,
    private readonly policies: ResidencyPoliciesRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** By region. @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH, INVALID_CURSOR */
  async list(vectorDbId: number, limit: number, cursor?: string): Promise<Page<ResidencyPolicy>> {
    return this.uow.read(async () => {
      await this.dbs.owned(vectorDbId);
      return this.policies.list(vectorDbId, limit, cursor);
    });
  }

  /** One policy a region: changes what is given of the one that is there. @throws as `list` */
  async upsert(vectorDbId: number, changes: PolicyChanges): Promise<ResidencyPolicy> {
    return this.uow.run(async () => {
      await this.dbs.owned(vectorDbId, 'FOR SHARE');
      const before = await this.policies.lockRegion(vectorDbId, changes.region);
      const policy = await this.policies.upsert(vectorDbId, changes);
      await this.audit.record({
        event: 'vector_db.residency_policy.upserted',
        outcome: 'success',
        resourceType: 'vector_db_residency_policy',
        resourceId: String(policy.id),
        metadata: {
          vector_db_id: vectorDbId,
          policy_id: policy.id,
          region: policy.region,
          enforcement_mode: policy.enforcementMode,
          active: policy.active,
          previous: before === undefined ? null : { enforcement_mode: before.enforcementMode, active: before.active },
        },
      });
      return policy;
    });
  }
}
