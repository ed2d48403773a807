import { TenantsAndKeys } from './0001-tenants-and-keys.js';
import { AuditEvents } from './0002-audit-events.js';
import { Outbox } from './0003-outbox.js';
import { CorporaAndDocuments } from './0004-corpora-and-documents.js';
import { Chunks } from './0005-chunks.js';
import { Conversations } from './0006-conversations.js';
import { SearchIndex } from './0007-search-index.js';
import { SessionLists } from './0008-session-lists.js';
import { FairDelivery } from './0009-fair-delivery.js';

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
] as const;
