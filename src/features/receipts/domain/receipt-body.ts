import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import type { SigningStatus } from './signing-keys.js';

/**
 * A larger one is not written: it would be kept for years and sent in lists. None is larger with up to 50 entries, as
 * bundles and labels are bounded.
 */
export const MOST_BODY_BYTES = 256 * 1024;

export type Mode = 'retrieval' | 'as_of_replay';

/** The record of one retrieval. Every field is always there; none holds a text of a document or a question. */
export interface ReceiptBody {
  readonly receipt_id: string;
  readonly schema_version: 1;
  readonly parent_receipt_id: string | null;
  readonly mode: Mode;
  readonly query_id: string;
  readonly task_id: string | null;
  readonly tenant_id: string;
  /** The session. */
  readonly subject_id: string;
  readonly request_id: string;
  readonly session_id: string;
  readonly corpus_id: string;
  readonly task: null;
  readonly query_sha256: string;
  /** When its texts had been found. */
  readonly as_of: string;
  /** When the question was accepted: the instant in the id. */
  readonly created_at: string;
  readonly caller_id: string;
  readonly caller_type: string;
  readonly selected_entries: readonly SelectedEntry[];
  readonly retrieval: {
    readonly provider: string;
    readonly provider_region: string | null;
    readonly top_k_requested: number | null;
    readonly top_k_effective: number;
    readonly degrade_sources: readonly string[];
    readonly vector_db_id: string | null;
    readonly attachment_id: string | null;
    readonly candidates_considered: number;
  };
  readonly model: {
    readonly llm_provider: string | null;
    readonly llm_model: string | null;
    readonly llm_region: string | null;
    readonly max_output_tokens: number | null;
    readonly embedding_provider: string | null;
    readonly embedding_model: string | null;
    readonly embedding_dim: number | null;
    readonly prompt_template_sha256: string | null;
  };
  readonly policy: {
    readonly policy_bundle_hash: string | null;
    readonly filters_applied: readonly AppliedFilter[];
    readonly filters_skipped: readonly SkippedFilter[];
    readonly mode: PolicyMode;
    readonly decisions: readonly RecordedDecision[];
  };
  readonly policy_snapshot: {
    readonly bundle_hash: string | null;
    readonly bundle_yaml: string | null;
    readonly captured_at: string;
    readonly policy_mode: PolicyMode;
  };
  readonly output: {
    /** SHA-256 of the context block as the model was given it. */
    readonly context_hash: string;
    readonly context_size_bytes: number;
    readonly canonicalization_version: 1;
    readonly token_estimate: number;
    readonly prompt_hash: string | null;
  };
  /** Zone of the process; null in single-region mode. */
  readonly region: string | null;
  readonly region_id: string | null;
  readonly failover_epoch: number | null;
  readonly tenant_pin: string | null;
  readonly signing: { readonly requested_key_id: string | null; readonly status: SigningStatus };
}

type PolicyMode = 'log_only' | 'enforce';

interface RecordedDecision {
  readonly engine: PolicyDecision['engine'];
  readonly policy_id: string | null;
  readonly version: number | null;
  readonly effect: PolicyDecision['effect'];
  readonly code: string | null;
}

export interface SelectedEntry {
  readonly type: 'chunk';
  readonly rank: number;
  readonly chunk_id: string | null;
  readonly document_id: string | null;
  readonly document_version: number | null;
  readonly chunk_index: number | null;
  readonly source: string;
  readonly score: string;
  readonly content_sha256: string;
  readonly content_bytes: number;
  readonly provenance_hash: string;
  readonly labels: readonly string[];
  readonly redacted: boolean;
  readonly external_ref: { readonly provider: string; readonly uri: string; readonly native_id: null } | null;
}

export interface AppliedFilter {
  readonly chunk_id: string | null;
  readonly rule_id: string;
  readonly action: string;
  readonly matched_labels: readonly string[];
}

export interface SkippedFilter {
  readonly rule_id: string;
  readonly action: string;
  readonly matched: false;
}
