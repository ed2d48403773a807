import { Type } from 'class-transformer';
import { IsIn, IsInt, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsInstant, IsNotBefore, MAX_PAGE } from '../../../platform/http/index.js';
import type { Page } from '../../../kernel/cursor.js';
import type { AuditFilter, StoredAuditEvent } from '../application/audit-log.js';
import type { Verification } from '../application/audit-verification.js';

const DEFAULT_PAGE = 50;
const MAX_OFFSET = 10_000;

export class AuditEventFilter {
  /** Only your own; the tenant follows from the credential. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  tenant_id?: string;

  /** Exact, or a prefix such as `auth.*`. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  event_type?: string;

  @IsOptional()
  @IsIn(['success', 'failure'])
  outcome?: 'success' | 'failure';

  @IsOptional()
  @IsString()
  @MaxLength(256)
  resource_type?: string;

  @IsOptional()
  @IsString()
  @MaxLength(512)
  resource_id?: string;

  /** Id of the API key or session that acted. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  actor_id?: string;

  /** `X-Request-Id` of the request. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  request_id?: string;

  @IsOptional()
  @IsString()
  @MaxLength(128)
  error_code?: string;

  /** Occurred at this instant or later. */
  @IsOptional()
  @IsInstant()
  from?: string;

  /** Occurred at this instant or before. */
  @IsOptional()
  @IsInstant()
  @IsNotBefore('from')
  to?: string;
}

export class ListAuditEventsQuery extends AuditEventFilter {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit?: number = DEFAULT_PAGE;

  /** Events to leave out; ignored with a cursor, which also reaches further and skips nothing while the list grows. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MAX_OFFSET)
  offset?: number = 0;

  /** `next_cursor` of the page before. */
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  cursor?: string;
}

export class VerifyAuditQuery {
  /** Only your own; the tenant follows from the credential. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  tenant_id?: string;

  /** Verify from the events of this instant on. */
  @IsOptional()
  @IsInstant()
  from?: string;

  /** Verify up to the events of this instant. */
  @IsOptional()
  @IsInstant()
  @IsNotBefore('from')
  to?: string;

  /** `next_cursor` of the call before. */
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  cursor?: string;
}

export class AuditEventDto {
  id!: number;
  occurred_at!: string;
  /** Null for what happened before authentication; such events are not listed. */
  tenant_id!: string | null;
  actor_type!: string;
  actor_id!: string | null;
  actor_role!: string | null;
  subject_id!: string | null;
  event_type!: string;
  outcome!: 'success' | 'failure';
  resource_type!: string | null;
  resource_id!: string | null;
  request_id!: string | null;
  ip_address!: string | null;
  user_agent!: string | null;
  /** Identifiers, counts and settings; what sounds or looks like a credential is `[REDACTED]`. */
  metadata_json!: Record<string, unknown> | null;
  error_code!: string | null;
  created_at!: string;
}

export class AuditEventPageDto {
  items!: AuditEventDto[];
  /** Null on the last page, beyond 10000 and for a page that a cursor asked for. */
  next_offset!: number | null;
  /** Null on the last page. */
  next_cursor!: string | null;
}

export class AuditVerificationDto {
  /** Whether every event that was checked is as it was sealed. */
  ok!: boolean;
  /** First event that was changed, removed or slipped in. */
  first_bad_id!: number | null;
  /** Events whose hash is right. */
  checked!: number;
  /** Last event that has a seal; younger ones get theirs soon. */
  sealed_to!: number | null;
  /** Hash of that event, which covers all before it. Kept elsewhere, it proves later that nothing was cut off. */
  head!: string | null;
  /** Ask again with this cursor until it is null. */
  next_cursor!: string | null;
}

export function filterOf(query: AuditEventFilter): AuditFilter {
  const { event_type, outcome, resource_type, resource_id, actor_id, request_id, error_code, from, to } = query;
  return { event_type, outcome, resource_type, resource_id, actor_id, request_id, error_code, from, to };
}

export function toAuditEventDto({ metadata_json: metadata, ...event }: StoredAuditEvent): AuditEventDto {
  return { ...event, metadata_json: metadata === null ? null : { ...metadata } };
}

export function toAuditEventPageDto(
  { items, nextCursor }: Page<StoredAuditEvent>,
  { limit = DEFAULT_PAGE, offset = 0, cursor }: ListAuditEventsQuery,
): AuditEventPageDto {
  const next = offset + limit;
  const reachable = nextCursor !== null && cursor === undefined && next <= MAX_OFFSET;
  return { items: items.map(toAuditEventDto), next_offset: reachable ? next : null, next_cursor: nextCursor };
}

export function toAuditVerificationDto({
  ok,
  firstBadId,
  checked,
  head,
  nextCursor,
}: Verification): AuditVerificationDto {
  return {
    ok,
    first_bad_id: firstBadId,
    checked,
    sealed_to: head?.id ?? null,
    head: head?.hash ?? null,
    next_cursor: nextCursor,
  };
}
