import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min, ValidateBy } from 'class-validator';
import { isUuid } from '../../../kernel/ids.js';
import { IsJson, IsUuid, lower, PageQuery } from '../../../platform/http/index.js';
import type { AttachmentWithKey } from '../application/attachments.js';
import { ATTACHMENT_STATES, ATTACHMENT_TYPES } from '../domain/attachment.js';

const MAX_CORPUS_ID = 128;
const MAX_ID = 2 ** 31 - 1;

/** UUIDs are equal in either case; ids of corpora are not. */
function refOf({ value, obj }: { value: unknown; obj: { attachment_type?: unknown } }): unknown {
  return typeof value === 'string' && obj.attachment_type !== 'corpus' ? value.toLowerCase() : value;
}

function IsWorkload(): PropertyDecorator {
  return ValidateBy({
    name: 'isWorkload',
    validator: {
      validate: (value: unknown, args) => {
        if (typeof value !== 'string') return false;
        if ((args?.object as CreateAttachmentDto).attachment_type !== 'corpus') return isUuid(value);
        return value !== '' && value.length <= MAX_CORPUS_ID;
      },
      defaultMessage: () => `attachment_ref must be a UUID, or of a corpus its id`,
    },
  });
}

export class CreateAttachmentDto {
  @IsIn(ATTACHMENT_TYPES)
  attachment_type!: (typeof ATTACHMENT_TYPES)[number];

  /** Of a corpus its id, of any other workload a UUID. */
  @Transform(refOf)
  @IsWorkload()
  attachment_ref!: string;

  @IsInt()
  @Min(1)
  @Max(MAX_ID)
  residency_policy_id!: number;

  @Transform(lower)
  @IsUuid()
  provider_key_binding_id!: string;

  /** At most 16 KiB. */
  @IsOptional()
  @IsJson(16, 'object')
  metadata?: Record<string, unknown> | null;
}

export class DetachAttachmentDto {
  /** `Detached by operator` when absent or blank. */
  @IsOptional()
  @IsString()
  @MaxLength(1000)
  reason?: string | null;
}

export class ListAttachmentsQuery extends PageQuery {
  @IsOptional()
  @IsIn(ATTACHMENT_STATES)
  status?: (typeof ATTACHMENT_STATES)[number];
}

export class AttachmentPostureDto {
  /** Of the key. */
  state!: string;
  /** Whether the notes stop a workload whose tier needs a key. */
  vetoed!: boolean;
  notes!: string[];
}

export class AttachmentDto {
  id!: string;
  vector_db_id!: number;
  attachment_type!: string;
  attachment_ref!: string;
  residency_policy_id!: number;
  provider_key_binding_id!: string;
  provider_key_id!: string | null;
  provider_key_rotation_due_at!: string | null;
  attached_at!: string;
  detached_at!: string | null;
  detached_reason!: string | null;
  metadata!: Record<string, unknown>;
  posture!: AttachmentPostureDto | null;
}

export function toAttachmentDto(attachment: AttachmentWithKey): AttachmentDto {
  const { posture } = attachment;
  return {
    id: attachment.id,
    vector_db_id: attachment.vectorDbId,
    attachment_type: attachment.type,
    attachment_ref: attachment.ref,
    residency_policy_id: attachment.policyId,
    provider_key_binding_id: attachment.bindingId,
    provider_key_id: attachment.keyId,
    provider_key_rotation_due_at: attachment.rotationDueAt?.toISOString() ?? null,
    attached_at: attachment.attachedAt.toISOString(),
    detached_at: attachment.detachedAt?.toISOString() ?? null,
    detached_reason: attachment.detachedReason,
    metadata: attachment.metadata as Record<string, unknown>,
    posture: posture === null ? null : { ...posture, notes: [...posture.notes] },
  };
}
