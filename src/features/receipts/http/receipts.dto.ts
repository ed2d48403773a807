import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { commonErrors } from '../../../kernel/common-errors.js';
import { IsFlag, IsInstant, IsNotBefore, MAX_PAGE } from '../../../platform/http/index.js';
import type { ReceiptFilter, ReceiptVerification, ShownReceipt } from '../application/receipts.js';
import type { Replay } from '../application/replays.js';
import type { ReplayDiff } from '../domain/replay-diff.js';

export const DEFAULT_PAGE = 50;

export class ListReceiptsQuery {
  /** The session; the same as `session_id`. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  subject_id?: string;

  @IsOptional()
  @IsString()
  @MaxLength(128)
  session_id?: string;

  @IsOptional()
  @IsString()
  @MaxLength(128)
  corpus_id?: string;

  /** Receipts of answers that were given a text of this document. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  document_id?: string;

  /** Id of the API key or session that asked. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  caller_id?: string;

  /** Made at this instant or later. */
  @IsOptional()
  @IsInstant()
  since?: string;

  /** Made at this instant or before. */
  @IsOptional()
  @IsInstant()
  @IsNotBefore('since')
  until?: string;

  /** `next_cursor` of the page before: its last `receipt_id`. */
  @IsOptional()
  @Matches(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
  cursor?: string;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit?: number = DEFAULT_PAGE;

  /** Those that are put away, too. */
  @IsOptional()
  @IsFlag()
  include_tombstoned?: boolean;
}

export class ListReceiptsOfTenantQuery extends ListReceiptsQuery {
  /** Whose receipts; absent, those of the session in whichever tenants have it. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  tenant_id?: string;
}

/** @throws REQUEST_VALIDATION_ERROR for two sessions. */
export function filterOf(query: ListReceiptsQuery): ReceiptFilter {
  const { subject_id = query.session_id, session_id = subject_id } = query;
  if (session_id !== subject_id) {
    const errors = [{ loc: ['query', 'session_id'], msg: 'must be the same as subject_id', type: 'same' }];
    throw commonErrors.REQUEST_VALIDATION_ERROR({ details: { errors } });
  }
  return {
    sessionId: session_id,
    corpusId: query.corpus_id,
    documentId: query.document_id,
    callerId: query.caller_id,
    since: query.since,
    until: query.until,
    includeTombstoned: query.include_tombstoned === true,
  };
}

/** The signed body as it was signed, plus `receipt_signature`, `status`, `tombstoned_at` and `outcome`, which it does not cover. */
export class ReceiptDto {
  receipt_id!: string;
  schema_version!: number;
  parent_receipt_id!: string | null;
  mode!: 'retrieval' | 'as_of_replay';
  tenant_id!: string;
  session_id!: string;
  corpus_id!: string;
  created_at!: string;
  /** What the model was given, in its order: hashes of texts, never texts. */
  selected_entries!: Record<string, unknown>[];
  retrieval!: Record<string, unknown>;
  model!: Record<string, unknown>;
  policy!: Record<string, unknown>;
  policy_snapshot!: Record<string, unknown>;
  output!: Record<string, unknown>;
  signing!: Record<string, unknown>;
  /** Lower-case hex over the canonical form of everything above; null when it is not signed. */
  receipt_signature!: string | null;
  receipt_signature_key_id!: string | null;
  receipt_signature_algorithm!: string | null;
  status!: 'active' | 'tombstoned';
  /** Only of those that are put away. */
  tombstoned_at?: string;
  /** How the answer ended, signed like the receipt; absent while it has not, and in lists. */
  outcome?: Record<string, unknown>;
}

export class ReceiptPageDto {
  receipts!: ReceiptDto[];
  /** For the next page; null on the last. */
  next_cursor!: string | null;
}

export class ReceiptChecksDto {
  /** Whether the row says what its signed body says. */
  columns_match!: boolean;
}

export class ReceiptVerificationDto {
  /** Null when it cannot be said; `reason` says why. */
  valid!: boolean | null;
  key_id!: string | null;
  algorithm!: string | null;
  reason!: 'ok' | 'signature_mismatch' | 'no_signature' | 'key_unavailable' | 'unsupported_algorithm';
  /** Null without an outcome, and when it cannot be said. */
  outcome_valid!: boolean | null;
  /** As `reason`, of the outcome; null without one. */
  outcome_reason!: 'ok' | 'signature_mismatch' | 'no_signature' | 'key_unavailable' | 'unsupported_algorithm' | null;
  /**
   * Whether no receipt before it is missing, changed or added: the hundred before it as they are now, all others as they
   * were found when their turn to be checked was last. Null until it is chained, about a minute later.
   */
  chain_valid!: boolean | null;
  checks!: ReceiptChecksDto;
}

export class OriginalVerificationDto {
  valid!: boolean | null;
  key_id!: string | null;
  algorithm!: string | null;
  reason!: string;
}

export class ReplayDto {
  original_receipt_id!: string;
  /** Null when the receipt of the replay could not be written. */
  replay_receipt_id!: string | null;
  original_verify!: OriginalVerificationDto;
  diff!: ReplayDiff;
}

export function toReceiptDto({ body, status, tombstonedAt, outcome }: ShownReceipt): ReceiptDto {
  return {
    ...(body as unknown as ReceiptDto),
    status,
    ...(tombstonedAt === null ? {} : { tombstoned_at: tombstonedAt.toISOString() }),
    ...(outcome === null ? {} : { outcome }),
  };
}

export function toVerificationDto(verification: ReceiptVerification): ReceiptVerificationDto {
  const { valid, keyId, algorithm, reason, outcome, chainValid, columnsMatch } = verification;
  return {
    valid,
    key_id: keyId,
    algorithm,
    reason,
    outcome_valid: outcome?.valid ?? null,
    outcome_reason: outcome?.reason ?? null,
    chain_valid: chainValid,
    checks: { columns_match: columnsMatch },
  };
}

export function toReplayDto({ originalReceiptId, replayReceiptId, originalVerify, diff }: Replay): ReplayDto {
  const { valid, keyId, algorithm, reason } = originalVerify;
  return {
    original_receipt_id: originalReceiptId,
    replay_receipt_id: replayReceiptId,
    original_verify: { valid, key_id: keyId, algorithm, reason },
    diff,
  };
}
