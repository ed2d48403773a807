import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import type { Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { PolicyChanges, ResidencyPolicy } from '../domain/residency-policy.js';
import { ResidencyPoliciesRepository } from '../persistence/residency-policies.repository.js';
import { ServedLately } from './served-lately.js';
import { VectorDbs } from './vector-dbs.js';

@Injectable()
export class ResidencyPolicies {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbs,
    private readonly policies: ResidencyPoliciesRepository,
    private readonly audit: AuditTrail,
    private readonly lately: ServedLately,
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
      const { policy, before } = await this.#write(vectorDbId, changes);
      await this.audit.record({
        event: 'vector_db.residency_policy.upserted',
        outcome: 'success',
        resourceType: 'vector_db_residency_policy',
        resourceId: String(policy.id),
        metadata: {
          vector_db_id: vectorDbId,
          policy_id: policy.id,
          region: policy.region,
          ...audited(policy),
          previous: before === undefined ? null : audited(before),
        },
      });
      this.lately.endWithCommit();
      return policy;
    });
  }

  /** With what was there before. Of two that are the first at once, the later one changes what the other made. */
  async #write(
    vectorDbId: number,
    changes: PolicyChanges,
  ): Promise<{ policy: ResidencyPolicy; before: ResidencyPolicy | undefined }> {
    let before = await this.policies.lockRegion(vectorDbId, changes.region);
    if (before === undefined) {
      const policy = await this.policies.insert(vectorDbId, changes);
      if (policy !== undefined) return { policy, before };
      before = await this.policies.lockRegion(vectorDbId, changes.region);
    }
    return { policy: await this.policies.update(vectorDbId, changes), before };
  }
}

function audited({ dataClassification, enforcementMode, active }: ResidencyPolicy): Record<string, unknown> {
  return { data_classification: dataClassification, enforcement_mode: enforcementMode, active };
}
