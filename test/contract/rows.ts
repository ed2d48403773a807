import type { DataSource } from 'typeorm';
import { rawSql } from './raw-sql.js';

/** One row of a tenant in every table, by table in the order of their foreign keys. $1 is the tenant. */
export const ROWS: Readonly<Record<string, string>> = {
  tenants: `(id, name) VALUES ($1, 'T')`,
  users: `(tenant_id, id, role) VALUES ($1, 'u', 'admin')`,
  api_keys: `(tenant_id, id, user_id, key_prefix, key_hash) VALUES ($1, 'k-' || $1, 'u', 'nrgk_', 'h-' || $1)`,
  tenant_configs: `(tenant_id) VALUES ($1)`,
  tenant_plan_assignments: `(tenant_id, effective_from, plan_id) VALUES ($1, now(), 'pro')`,
  tenant_feature_overrides: `(tenant_id, feature_key, enabled) VALUES ($1, 'feature.tts', true)`,
  plan_upgrade_requests: `(tenant_id, current_plan_id, target_plan_id, requested_by_actor_id)
    VALUES ($1, 'free', 'pro', 'k')`,
  authorization_policies: `(tenant_id, id, name, effect, resource_type, action)
    VALUES ($1, 'p-' || $1, 'P', 'allow', 'document', 'read')`,
  authorization_policy_versions: `(tenant_id, policy_id, version, snapshot) VALUES ($1, 'p-' || $1, 1, '{}')`,
  policy_bundles: `(tenant_id, id, bundle_hash, yaml_content, rule_count) VALUES ($1, 'b-' || $1, 'h', 'y', 0)`,
  idempotency_records: `(tenant_id, id, actor_id, method, path, idem_key, request_hash, state, owner, locked_until,
    expires_at) VALUES ($1, 'x', 'k', 'POST', '/', 'i', 'h', 'in_progress', 'o', now(), now())`,
  audit_events: `(occurred_at, tenant_id, actor_type, event_type, outcome) VALUES (now(), $1, 'system', 'x', 'success')`,
  audit_seals: `(tenant_id, last_event_id, event_count, event_ids, row_hashes, root, occurred_from, occurred_to)
    VALUES ($1, 1, 1, '{1}', sha256(''), sha256(''), now(), now())`,
  audit_anchors: `(tenant_id, event_id, row_hash) VALUES ($1, 1, sha256(''))`,
  outbox_jobs: `(tenant_id, id, name, payload, context, state) VALUES ($1, 'j', 'x', '{}', '{}', 'done')`,
  plan_limits: `(tenant_id) VALUES ($1)`,
  usage_counters: `(tenant_id, period_type, period_start) VALUES ($1, 'day', '2026-02-17T00:00:00Z')`,
  usage_rollups: `(tenant_id, day, route_class) VALUES ($1, '2026-02-17', 'read')`,
  quota_soft_cap_events: `(tenant_id, id, period_type, period_start, metric)
    VALUES ($1, 'e', 'day', '2026-02-17T00:00:00Z', 'requests')`,
  webhook_deliveries: `(tenant_id, id, endpoint, event_type, body, job_id, next_attempt_at)
    VALUES ($1, 'w', 'none', 'x', '{}', 'j', now())`,
  webhook_attempts: `(tenant_id, delivery_id, number, started_at, duration_ms) VALUES ($1, 'w', 1, now(), 1)`,
  webhook_stopped_endpoints: `(tenant_id, endpoint, fingerprint, stopped_at) VALUES ($1, 'e', 'f', now())`,
  tenant_freezes: `(tenant_id, migration_id, frozen_at) VALUES ($1, 'm', now())`,
  residency_jobs: `(tenant_id, id, kind, moved_tenant_id, state, actor) VALUES ($1, 'm', 'export', $1, 'running', 'u')`,
  residency_parts: `(tenant_id, job_id, number, table_name, row_count, sha256, included)
    VALUES ($1, 'm', 1, 'corpora', 0, 'h', true)`,
  providers: `(tenant_id, id, name) VALUES ($1, '00000000-0000-4000-8000-000000000001', 'P')`,
  provider_tiers: `(tenant_id, tier, provider_id) VALUES ($1, 'plan:pro', '00000000-0000-4000-8000-000000000001')`,
  provider_keys: `(tenant_id, id, provider_id, state)
    VALUES ($1, '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'active')`,
  provider_key_rotations: `(tenant_id, id, provider_key_id, requested_at, requested_by, status, request_actor_ref,
    attestation_verified) VALUES ($1, gen_random_uuid(), '00000000-0000-4000-8000-000000000001', now(), 'u', 'failed',
    'u', false)`,
  provider_key_bindings: `(tenant_id, id, provider_key_id, binding_type, binding_target_id)
    VALUES ($1, '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'corpus',
            gen_random_uuid())`,
  provider_key_audit_events: `(tenant_id, provider_id, event_type, occurred_at)
    VALUES ($1, '00000000-0000-4000-8000-000000000001', 'x', now())`,
  corpora: `(tenant_id, id, name, provider_config_json) VALUES ($1, 'c', 'C', '{}')`,
  vector_dbs: `(tenant_id, id, uid, owner_id, name, db_type, status)
    OVERRIDING SYSTEM VALUE VALUES ($1, 1, gen_random_uuid(), 'u', 'V', 'chroma', 'registered')`,
  vector_db_residency_policies: `(tenant_id, id, vector_db_id, region)
    OVERRIDING SYSTEM VALUE VALUES ($1, 1, 1, 'eu')`,
  vector_db_attachments: `(tenant_id, id, vector_db_id, attachment_type, attachment_ref, residency_policy_id,
    provider_key_binding_id, binding_names_db, attached_by)
    VALUES ($1, '00000000-0000-4000-8000-000000000001', 1, 'corpus', 'c', 1,
            '00000000-0000-4000-8000-000000000001', true, 'u')`,
  vector_db_incident_logs: `(tenant_id, id, vector_db_id, incident_type, automatic, opened_by)
    VALUES ($1, '00000000-0000-4000-8000-000000000001', 1, 'x', false, 'u')`,
  vector_db_incident_events: `(tenant_id, incident_id, event, occurred_at, actor_id, notes)
    VALUES ($1, '00000000-0000-4000-8000-000000000001', 'opened', now(), 'u', '{}')`,
  documents: `(tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status, content_sha256, byte_count,
    chunker, chunk_size_chars, chunk_overlap_chars, created_by)
    VALUES ($1, 'd', 'c', 'u', 'f', 'text/plain', 'raw_text', 'succeeded', 'h', 1, 'v1', 10, 1, 'u')`,
  document_permissions: `(tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
    VALUES ($1, 'p', 'd', 'user', 'u', 'read', 'u')`,
  document_labels: `(tenant_id, document_id, key, value) VALUES ($1, 'd', 'k', 'v')`,
  ingest_jobs: `(tenant_id, id, document_id, generation, kind, status) VALUES ($1, 'i', 'd', 1, 'ingest', 'succeeded')`,
  document_source_removals: `(tenant_id, storage_key, document_id) VALUES ($1, 's', 'd')`,
  chunks: `(tenant_id, id, corpus_id, document_id, generation, chunk_index, document_uri, text, terms, term_weights,
    content_sha256)
    VALUES ($1, '00000000-0000-4000-8000-000000000001', 'c', 'd', 1, 0, 'u', 't', '', '{1:1}/2', 'h')`,
  chunk_embeddings: `(tenant_id, chunk_id, corpus_id, document_id, generation, embedding_model, embedding)
    VALUES ($1, '00000000-0000-4000-8000-000000000001', 'c', 'd', 1, 'm', array_fill(0.1, ARRAY[768])::vector)`,
  hidden_generations: `(tenant_id, document_id, generation) VALUES ($1, 'd', 2)`,
  corpus_terms: `(tenant_id, corpus_id, term, chunk_count) VALUES ($1, 'c', 't', 1)`,
  corpus_indexes: `(tenant_id, corpus_id, embedding_model) VALUES ($1, 'c', 'm')`,
  sessions: `(tenant_id, subject_id, id) VALUES ($1, 'u', 's')`,
  messages: `(tenant_id, id, subject_id, session_id, seq, role, content, run_id)
    VALUES ($1, gen_random_uuid(), 'u', 's', 1, 'user', 'q', 'r')`,
  checkpoints: `(tenant_id, id, subject_id, session_id, run_id, state_json)
    VALUES ($1, gen_random_uuid(), 'u', 's', 'r', '{}')`,
  receipts: `(tenant_id, receipt_id, mode, subject_id, corpus_id, caller_id, context_hash, context_size_bytes,
    body_canonical, as_of, created_at) VALUES ($1, 'r-' || $1, 'retrieval', 's', 'c', 'k', 'h', 0, '{}', now(), now())`,
  receipt_chunks: `(tenant_id, receipt_id, rank) VALUES ($1, 'r', 1)`,
  receipt_queries: `(tenant_id, receipt_id, owner_id, session_id, sealed) VALUES ($1, 'r', 'u', 's', '')`,
  receipt_outcomes: `(tenant_id, receipt_id, status, finished_at, body_canonical)
    VALUES ($1, 'r', 'completed', now(), '{}')`,
  receipt_chain: `(tenant_id, seq, receipt_id, entry_hash) VALUES ($1, 1, 'r', 'h')`,
  receipt_chain_checks: `(tenant_id) VALUES ($1)`,
};

/** Puts the row of every table into each of the tenants. */
export async function fill(dataSource: DataSource, tenants: readonly string[]): Promise<void> {
  for (const tenant of tenants) {
    for (const [table, values] of Object.entries(ROWS)) {
      await rawSql(dataSource, 'SET LOCAL ROLE nexusrag_system', undefined, (sql) =>
        sql(`INSERT INTO ${table} ${values}`, [tenant]),
      );
    }
  }
}
