/** One row of a tenant in every table, by table in the order of their foreign keys. $1 is the tenant. */
export const ROWS: Readonly<Record<string, string>> = {
  tenants: `(id, name) VALUES ($1, 'T')`,
  users: `(tenant_id, id, role) VALUES ($1, 'u', 'admin')`,
  api_keys: `(tenant_id, id, user_id, key_prefix, key_hash) VALUES ($1, 'k-' || $1, 'u', 'nrgk_', 'h-' || $1)`,
  audit_events: `(occurred_at, tenant_id, actor_type, event_type, outcome) VALUES (now(), $1, 'system', 'x', 'success')`,
  outbox_jobs: `(tenant_id, id, name, payload, context, state) VALUES ($1, 'j', 'x', '{}', '{}', 'done')`,
  corpora: `(tenant_id, id, name, provider_config_json) VALUES ($1, 'c', 'C', '{}')`,
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
};
