import { TenantsAndKeys } from './0001-tenants-and-keys.js';
import { AuditEvents } from './0002-audit-events.js';
import { Outbox } from './0003-outbox.js';
import { CorporaAndDocuments } from './0004-corpora-and-documents.js';
import { Chunks } from './0005-chunks.js';
import { Conversations } from './0006-conversations.js';
import { SearchIndex } from './0007-search-index.js';
import { SessionLists } from './0008-session-lists.js';
import { FairDelivery } from './0009-fair-delivery.js';
import { Plans } from './0010-plans.js';
import { KeyLists } from './0011-key-lists.js';
import { AuditSeals } from './0012-audit-seals.js';
import { Quotas } from './0013-quotas.js';
import { Idempotency } from './0014-idempotency.js';
import { Webhooks } from './0015-webhooks.js';
import { AuthorizationPolicies } from './0016-authorization-policies.js';
import { VectorsOfDocuments } from './0017-vectors-of-documents.js';
import { TenantConfigs } from './0018-tenant-configs.js';
import { PolicyBundles } from './0019-policy-bundles.js';
import { Receipts } from './0020-receipts.js';
import { ProviderKeys } from './0021-provider-keys.js';
import { VectorDbs } from './0022-vector-dbs.js';
import { TenantMoves } from './0023-tenant-moves.js';

/** Every migration, oldest first. */
export const MIGRATIONS = [
  TenantsAndKeys,
  AuditEvents,
  Outbox,
  CorporaAndDocuments,
  Chunks,
  Conversations,
  SearchIndex,
  SessionLists,
  FairDelivery,
  Plans,
  KeyLists,
  AuditSeals,
  Quotas,
  Idempotency,
  Webhooks,
  AuthorizationPolicies,
  VectorsOfDocuments,
  TenantConfigs,
  PolicyBundles,
  Receipts,
  ProviderKeys,
  VectorDbs,
  TenantMoves,
] as const;
