import { sha256Hex } from '../../../kernel/hash.js';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import { boundedLabels } from './bounded-labels.js';
import type { AppliedFilter, Mode, ReceiptBody, SelectedEntry, SkippedFilter } from './receipt-body.js';

/** What tells a bundle that could not be read from none. */
const UNREAD: PolicyDecision = { engine: 'governance', effect: 'note', code: 'POLICY_UNAVAILABLE' };
const CHARS_PER_TOKEN = 4;

/** A text that the model was given. */
export interface Selected {
  readonly chunkId: string | null;
  readonly documentId: string | null;
  readonly documentVersion: number | null;
  readonly chunkIndex: number | null;
  readonly source: string;
  readonly text: string;
  readonly score: number;
  readonly labels: readonly string[];
  readonly redacted: boolean;
}

/** What the policy bundle in force did. */
interface Screening {
  readonly bundleHash: string | null;
  readonly bundleYaml: string | null;
  readonly mode: 'log_only' | 'enforce';
  /** Whether one may have been in force that could not be read. */
  readonly unavailable: boolean;
  readonly applied: readonly AppliedFilter[];
  readonly skipped: readonly SkippedFilter[];
}

/** One retrieval, and the context that came of it. */
export interface Assembly {
  readonly provider: string;
  readonly providerRegion: string | null;
  readonly embeddingModel: string | null;
  /** Of the vectors that models here make. */
  readonly embeddingDim: number;
  readonly candidates: number;
  /** How the corpus is governed; null where it is not. */
  readonly vectorDbId: number | null;
  readonly attachmentId: string | null;
  readonly passages: readonly Selected[];
  readonly screening: Screening;
  /** Exactly what the model was given of it. */
  readonly context: string;
  readonly topKRequested: number | null;
  readonly topKEffective: number;
  readonly decisions: readonly PolicyDecision[];
  /** Null where no model was asked. */
  readonly asked: {
    readonly provider: string;
    readonly model: string;
    readonly region: string | null;
    readonly promptTemplateHash: string;
    readonly promptHash: string;
  } | null;
}

/** Whose retrieval it was, and where. */
export interface Occasion {
  readonly receiptId: string;
  readonly parentReceiptId: string | null;
  readonly mode: Mode;
  readonly tenantId: string;
  readonly requestId: string;
  readonly queryId: string;
  readonly taskId: string | null;
  readonly sessionId: string;
  readonly corpusId: string;
  readonly querySha256: string;
  readonly caller: { readonly id: string; readonly type: string };
  readonly createdAt: Date;
  readonly asOf: Date;
  /** Zone of this process; null in single-region mode. */
  readonly zone: string | null;
  /** Of this process. */
  readonly site: string;
  readonly tenantPin: string | null;
}

export function composeReceipt(
  occasion: Occasion,
  assembly: Assembly,
  signing: { readonly requestedKeyId: string | null; readonly status: ReceiptBody['signing']['status'] },
): ReceiptBody {
  const labels = boundedLabels(assembly.passages.map((passage) => passage.labels));
  return {
    receipt_id: occasion.receiptId,
    schema_version: 1,
    parent_receipt_id: occasion.parentReceiptId,
    mode: occasion.mode,
    query_id: occasion.queryId,
    task_id: occasion.taskId,
    tenant_id: occasion.tenantId,
    subject_id: occasion.sessionId,
    request_id: occasion.requestId,
    session_id: occasion.sessionId,
    corpus_id: occasion.corpusId,
    task: null,
    query_sha256: occasion.querySha256,
    as_of: occasion.asOf.toISOString(),
    created_at: occasion.createdAt.toISOString(),
    caller_id: occasion.caller.id,
    caller_type: occasion.caller.type,
    selected_entries: assembly.passages.map((passage, at) =>
      entryOf({ ...passage, labels: labels[at] ?? [] }, at + 1, assembly.provider),
    ),
    retrieval: retrievalOf(assembly),
    model: modelOf(assembly),
    ...policyOf(assembly, occasion.asOf),
    output: outputOf(assembly),
    region: occasion.zone,
    region_id: occasion.site,
    failover_epoch: null,
    tenant_pin: occasion.tenantPin,
    signing: { requested_key_id: signing.requestedKeyId, status: signing.status },
  };
}

function retrievalOf(assembly: Assembly): ReceiptBody['retrieval'] {
  return {
    provider: assembly.provider,
    provider_region: assembly.providerRegion,
    top_k_requested: assembly.topKRequested,
    top_k_effective: assembly.topKEffective,
    degrade_sources: [],
    vector_db_id: assembly.vectorDbId === null ? null : String(assembly.vectorDbId),
    attachment_id: assembly.attachmentId,
    candidates_considered: assembly.candidates,
  };
}

function modelOf({ asked, embeddingModel, embeddingDim }: Assembly): ReceiptBody['model'] {
  return {
    llm_provider: asked?.provider ?? null,
    llm_model: asked?.model ?? null,
    llm_region: asked?.region ?? null,
    max_output_tokens: null,
    // As in `openai/text-embedding-3-small` and `fake-v1`.
    embedding_provider: /^[a-z]+/.exec(embeddingModel ?? '')?.[0] ?? null,
    embedding_model: embeddingModel,
    embedding_dim: embeddingModel === null ? null : embeddingDim,
    prompt_template_sha256: asked?.promptTemplateHash ?? null,
  };
}

function policyOf({ screening, decisions }: Assembly, at: Date): Pick<ReceiptBody, 'policy' | 'policy_snapshot'> {
  const labels = boundedLabels(screening.applied.map(({ matched_labels }) => matched_labels));
  return {
    policy: {
      policy_bundle_hash: screening.bundleHash,
      filters_applied: screening.applied.map((filter, place) => ({ ...filter, matched_labels: labels[place] ?? [] })),
      filters_skipped: screening.skipped,
      mode: screening.mode,
      decisions: (screening.unavailable ? [...decisions, UNREAD] : decisions).map(
        ({ engine, policyId, version, effect, code }) => ({
          engine,
          policy_id: policyId ?? null,
          version: version ?? null,
          effect,
          code: code ?? null,
        }),
      ),
    },
    policy_snapshot: {
      bundle_hash: screening.bundleHash,
      bundle_yaml: screening.bundleYaml,
      captured_at: at.toISOString(),
      policy_mode: screening.mode,
    },
  };
}

function outputOf({ context, asked }: Assembly): ReceiptBody['output'] {
  return {
    context_hash: sha256Hex(context),
    context_size_bytes: Buffer.byteLength(context),
    canonicalization_version: 1,
    token_estimate: Math.ceil(charactersOf(context) / CHARS_PER_TOKEN),
    prompt_hash: asked?.promptHash ?? null,
  };
}

function entryOf(passage: Selected, rank: number, provider: string): SelectedEntry {
  const { chunkId, documentId, source, text } = passage;
  return {
    type: 'chunk',
    rank,
    chunk_id: chunkId,
    document_id: documentId,
    document_version: passage.documentVersion,
    chunk_index: passage.chunkIndex,
    source,
    score: passage.score.toFixed(6),
    content_sha256: sha256Hex(text),
    content_bytes: Buffer.byteLength(text),
    provenance_hash: provenanceHash([documentId ?? source]),
    labels: passage.labels,
    redacted: passage.redacted,
    external_ref: chunkId === null ? { provider, uri: source, native_id: null } : null,
  };
}

/** Of Unicode: a pair of surrogates is one. */
function charactersOf(text: string): number {
  return text.length - (text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);
}

/** Hash of where a text comes from. */
export function provenanceHash(sourceIds: readonly string[]): string {
  return sha256Hex([...sourceIds].sort().join(','));
}
