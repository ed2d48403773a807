export { AttachedKeys } from './application/attached-keys.js';
export { PinnedAttachments } from './application/pinned-attachments.js';
export { VectorDbAccess, type AccessGrant, type DataAction } from './application/vector-db-access.js';
export { VectorDbPlacement } from './application/vector-db-placement.js';
export {
  VectorDbAttachmentEntity,
  VectorDbEntity,
  VectorDbIncidentEntity,
  VectorDbIncidentEventEntity,
  VectorDbResidencyPolicyEntity,
} from './persistence/vector-db.entities.js';
export { vectorDbsAudit } from './vector-dbs.audit.js';
export { GATE_ERRORS, vectorDbsErrors } from './vector-dbs.errors.js';
export { VectorDbsModule } from './vector-dbs.module.js';
export { vectorDbsSettings } from './vector-dbs.settings.js';
