/** What an export may be told to include. */
export const GROUPS = [
  'config',
  'acl',
  'policies',
  'corpora',
  'documents',
  'blobs',
  'chunks',
  'sessions',
  'messages',
  'checkpoints',
  'receipts',
] as const;
export type Group = (typeof GROUPS)[number];

export interface TenantTable {
  readonly table: string;
  /** With which part of an export it moves; a table that stays says why instead. */
  readonly group?: Group;
  readonly stays?: string;
  /** Why a purge leaves its rows. */
  readonly kept?: string;
  /** Of rows that are kept: what is emptied all the same. */
  readonly emptied?: readonly string[];
  /** Columns that belong to the region and not to the tenant. */
  readonly omit?: readonly string[];
  /** Which rows say nothing that moves. */
  readonly ignored?: string;
  /** A column that moves in part: as it is sent, and what becomes of it where the row exists. */
  readonly partly?: Readonly<Record<string, { readonly sent: string; readonly stored: string }>>;
  /** What changes besides where the row exists. */
  readonly touched?: readonly string[];
  /** Rows cannot be changed or deleted by the application: they are added where they are missing. */
  readonly appendOnly?: true;
}

const EVIDENCE = 'evidence, which holds no text of documents';
const SERVED = 'evidence of what was served here, which holds no text';

function staying(stays: string, kept: string, tables: readonly string[]): TenantTable[] {
  return tables.map((table) => ({ table, stays, kept }));
}

/** Stored files, which are in no table; they move after the documents that name them. */
export const FILES = 'blobs';

/**
 * Every table with rows of tenants, parents before children: what moves with a tenant, what stays, and what a purge
 * leaves. A test compares it with the database, so that a new table cannot be forgotten.
 */
export const TENANT_TABLES: readonly TenantTable[] = [
  { table: 'tenants', group: 'config', kept: 'keys and the audit trail refer to it' },
  {
    table: 'tenant_configs',
    group: 'config',
    kept: 'the pin, by which the tenant is refused here',
    omit: ['version', 'created_at', 'updated_at'],
    touched: ['version = t.version + 1', 'updated_at = now()'],
    ignored: `t.config - 'region' = '{}'`,
    partly: {
      config: {
        sent: `t.config - 'region'`,
        stored: `excluded.config || CASE WHEN t.config ? 'region'
          THEN jsonb_build_object('region', t.config -> 'region') ELSE '{}'::jsonb END`,
      },
    },
  },
  { table: 'users', group: 'acl', kept: 'keys refer to them', emptied: ['email'] },
  { table: 'api_keys', stays: 'credentials belong to a region', kept: 'who still comes here is told 403, not 401' },
  { table: 'tenant_plan_assignments', group: 'config' },
  { table: 'tenant_feature_overrides', group: 'config' },
  { table: 'plan_limits', group: 'config' },
  { table: 'plan_upgrade_requests', stays: 'answered where they were made' },
  { table: 'usage_counters', stays: 'counts what was served here' },
  { table: 'usage_rollups', stays: 'counts what was served here' },
  { table: 'quota_soft_cap_events', stays: 'tells of what was served here' },
  { table: 'idempotency_records', stays: 'answers given here, sealed with a key of this region' },
  { table: 'outbox_jobs', stays: 'work of this region; a frozen tenant has none left' },
  { table: 'webhook_deliveries', stays: 'sent from here' },
  { table: 'webhook_attempts', stays: 'sent from here' },
  { table: 'webhook_stopped_endpoints', stays: 'learnt here' },
  { table: 'audit_events', stays: 'evidence of this region', kept: 'evidence; its retention removes it' },
  { table: 'audit_seals', stays: 'evidence of this region', kept: 'evidence; its retention removes it' },
  { table: 'audit_anchors', stays: 'evidence of this region', kept: 'evidence; its retention removes it' },
  { table: 'tenant_freezes', stays: 'lifted where it was imposed' },
  { table: 'residency_jobs', stays: 'belongs to operators', kept: 'says where the tenant went' },
  { table: 'residency_parts', stays: 'belongs to operators', kept: 'goes with its job' },
  { table: 'authorization_policies', group: 'policies' },
  { table: 'authorization_policy_versions', group: 'policies', appendOnly: true },
  { table: 'policy_bundles', group: 'policies' },
  ...staying('governs what is attached in this region', EVIDENCE, [
    'providers',
    'provider_tiers',
    'provider_keys',
    'provider_key_rotations',
    'provider_key_bindings',
    'provider_key_audit_events',
  ]),
  { table: 'corpora', group: 'corpora' },
  ...staying('governs what is attached in this region', EVIDENCE, [
    'vector_dbs',
    'vector_db_residency_policies',
    'vector_db_attachments',
    'vector_db_incident_logs',
    'vector_db_incident_events',
  ]),
  { table: 'corpus_indexes', group: 'chunks' },
  { table: 'corpus_terms', group: 'chunks' },
  { table: 'documents', group: 'documents' },
  { table: 'document_labels', group: 'documents' },
  { table: 'document_permissions', group: 'acl' },
  { table: 'ingest_jobs', group: 'documents' },
  { table: 'document_source_removals', stays: 'work of the blob store here' },
  { table: 'hidden_generations', group: 'chunks' },
  { table: 'chunks', group: 'chunks' },
  { table: 'chunk_embeddings', group: 'chunks' },
  { table: 'sessions', group: 'sessions' },
  { table: 'messages', group: 'messages' },
  { table: 'checkpoints', group: 'checkpoints' },
  {
    table: 'receipts',
    group: 'receipts',
    appendOnly: true,
    kept: SERVED,
    // Retention puts receipts away in each region by itself.
    omit: ['status', 'tombstoned_at'],
    // They follow with their place in the chain. Without it the target would give them one of its own.
    ignored: 'NOT t.chained',
  },
  { table: 'receipt_chunks', group: 'receipts', appendOnly: true, kept: SERVED },
  { table: 'receipt_outcomes', group: 'receipts', appendOnly: true, kept: SERVED },
  { table: 'receipt_chain', group: 'receipts', appendOnly: true, kept: SERVED },
  { table: 'receipt_chain_checks', stays: 'found out where the chain is', kept: SERVED },
  { table: 'receipt_queries', stays: 'sealed with a key of this region' },
];

/** What an export of these groups reads, in the order in which an import writes it. */
export function moving(include: readonly string[]): string[] {
  const tables = TENANT_TABLES.filter(({ group }) => group !== undefined && include.includes(group));
  const names = tables.map(({ table }) => table);
  if (!include.includes(FILES)) return names;
  const at = names.indexOf('documents') + 1;
  return [...names.slice(0, at), FILES, ...names.slice(at)];
}

/** The table of a name. @throws Error for a name that is not listed. */
export function tenantTable(name: string): TenantTable {
  const found = TENANT_TABLES.find(({ table }) => table === name);
  if (found === undefined) throw new Error(`${name} is not in the list of tenant tables.`);
  return found;
}

/** Whether an archive may bring rows of this table. */
export function isMoving(name: string): boolean {
  return name === FILES || TENANT_TABLES.some(({ table, group }) => table === name && group !== undefined);
}

/** What a purge empties, children before parents. */
export function purged(): TenantTable[] {
  return TENANT_TABLES.filter(({ kept }) => kept === undefined).reverse();
}
