import { Module } from '@nestjs/common';
import { CorporaModule } from '../corpora/index.js';
import { PlansModule } from '../plans/index.js';
import { ProviderKeysModule } from '../provider-keys/index.js';
import { ResidencyModule } from '../residency/index.js';
import { AccessRecords } from './application/access-records.js';
import { AttachWorkload } from './application/attach-workload.js';
import { AttachedKeys } from './application/attached-keys.js';
import { AttachmentChecks } from './application/attachment-checks.js';
import { AttachmentTrail } from './application/attachment-trail.js';
import { Attachments } from './application/attachments.js';
import { AutomaticIncidents } from './application/automatic-incidents.js';
import { CorpusAccess } from './application/corpus-access.js';
import { DataPlaneRegions } from './application/data-plane-regions.js';
import { DeleteVectorDb } from './application/delete-vector-db.js';
import { Governance } from './application/governance.js';
import { Incidents } from './application/incidents.js';
import { PinnedAttachments } from './application/pinned-attachments.js';
import { ResidencyPolicies } from './application/residency-policies.js';
import { ServedLately } from './application/served-lately.js';
import { VectorDbAccess } from './application/vector-db-access.js';
import { VectorDbPlacement } from './application/vector-db-placement.js';
import { VectorDbs } from './application/vector-dbs.js';
import { AttachmentsController } from './http/attachments.controller.js';
import { GovernanceController } from './http/governance.controller.js';
import { IncidentsController } from './http/incidents.controller.js';
import { ResidencyPoliciesController } from './http/residency-policies.controller.js';
import { VectorDbsController } from './http/vector-dbs.controller.js';
import { AttachmentsRepository } from './persistence/attachments.repository.js';
import { CorpusAttachmentsRepository } from './persistence/corpus-attachments.repository.js';
import { GovernanceRepository } from './persistence/governance.repository.js';
import { IncidentsRepository } from './persistence/incidents.repository.js';
import { ResidencyPoliciesRepository } from './persistence/residency-policies.repository.js';
import { VectorDbsRepository } from './persistence/vector-dbs.repository.js';

@Module({
  imports: [CorporaModule, PlansModule, ProviderKeysModule, ResidencyModule],
  controllers: [
    VectorDbsController,
    ResidencyPoliciesController,
    AttachmentsController,
    IncidentsController,
    GovernanceController,
  ],
  providers: [
    VectorDbsRepository,
    ResidencyPoliciesRepository,
    AttachmentsRepository,
    CorpusAttachmentsRepository,
    IncidentsRepository,
    GovernanceRepository,
    VectorDbs,
    ResidencyPolicies,
    DataPlaneRegions,
    AutomaticIncidents,
    AttachmentTrail,
    DeleteVectorDb,
    Attachments,
    AttachmentChecks,
    AttachWorkload,
    Incidents,
    Governance,
    CorpusAccess,
    ServedLately,
    AccessRecords,
    VectorDbAccess,
    VectorDbPlacement,
    AttachedKeys,
    PinnedAttachments,
  ],
  exports: [AttachedKeys, PinnedAttachments, VectorDbAccess, VectorDbPlacement],
})
export class VectorDbsModule {}
