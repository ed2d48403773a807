import { Injectable } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Incident } from '../domain/incident.js';
import type { ResidencyPolicy } from '../domain/residency-policy.js';
import type { VectorDb } from '../domain/vector-db.js';
import { GovernanceRepository, type Facets } from '../persistence/governance.repository.js';
import { Attachments, type AttachmentWithKey } from './attachments.js';
import { Incidents } from './incidents.js';
import { ResidencyPolicies } from './residency-policies.js';
import { VectorDbs } from './vector-dbs.js';

/** Everything that a console shows of one vector database: the first page of each list. */
export interface GovernanceOverview {
  readonly db: VectorDb;
  readonly policies: readonly ResidencyPolicy[];
  readonly attachments: Page<AttachmentWithKey>;
  readonly incidents: Page<Incident>;
  readonly facets: Facets | undefined;
}

/** Most regions that a console shows. */
const MOST_POLICIES = 200;

@Injectable()
export class Governance {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbs,
    private readonly policies: ResidencyPolicies,
    private readonly attachments: Attachments,
    private readonly incidents: Incidents,
    private readonly overview: GovernanceRepository,
  ) {}

  /** @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH */
  async of(vectorDbId: number, limit: number): Promise<GovernanceOverview> {
    return this.uow.read(async () => ({
      db: await this.dbs.owned(vectorDbId),
      policies: (await this.policies.list(vectorDbId, MOST_POLICIES)).items,
      attachments: await this.attachments.list(vectorDbId, { limit }),
      incidents: await this.incidents.list(vectorDbId, { limit }),
      facets: await this.overview.facets(vectorDbId),
    }));
  }
}
