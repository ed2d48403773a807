import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  Allow,
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
} from 'class-validator';
import type { Context } from '../../../kernel/context.js';
import { PageQuery } from '../../../platform/http/index.js';
import type { Accepted } from '../application/accept-document.js';
import { DOCUMENT_ID_PATTERN } from '../domain/document-id.js';
import type { DocumentDetails } from '../domain/document.js';
import type { TextRange } from '../domain/text-range.js';

const MAX_CHUNK_SIZE = 1_000_000;

const FORM_BOOLEANS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/** What is not a boolean stays as it is, for the validator to refuse. */
const fromForm = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' && Object.hasOwn(FORM_BOOLEANS, value) ? FORM_BOOLEANS[value] : value;

/** A text that holds NUL characters is served without them, instead of being refused. */
const withoutNul = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' ? value.replaceAll('\0', '') : value;

export class UploadDocumentDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  corpus_id!: string;

  /**
   * Plain text, Markdown, a JSON object with the text under `text`, HTML, PDF, Word (DOCX), PowerPoint (PPTX), Excel
   * (XLSX) or CSV.
   */
  @ApiProperty({ type: 'string', format: 'binary', required: true })
  @Allow()
  file?: unknown;

  /** Your own identifier; unset, one is made. */
  @IsOptional()
  @Matches(DOCUMENT_ID_PATTERN)
  document_id?: string;

  /** Replace the content of a document that exists. */
  @IsOptional()
  @Transform(fromForm)
  @IsBoolean()
  overwrite?: boolean;

  /** JSON object kept with the document; its `labels` are what access policies see. */
  @IsOptional()
  @IsString()
  metadata_json?: string;
}

export class CreateTextDocumentDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  corpus_id!: string;

  @Transform(withoutNul)
  @IsString()
  text!: string;

  /** Your own identifier; unset, one is made. */
  @IsOptional()
  @Matches(DOCUMENT_ID_PATTERN)
  document_id?: string | null;

  @IsOptional()
  @IsString()
  @MaxLength(1024)
  filename?: string | null;

  /** Kept with the document; its `labels` are what access policies see. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  @Allow()
  metadata_json?: unknown;

  /** In Unicode code points. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_CHUNK_SIZE)
  chunk_size_chars?: number | null;

  /** In Unicode code points; less than the size. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_CHUNK_SIZE)
  chunk_overlap_chars?: number | null;

  /** Replace the content of a document that exists. */
  @IsOptional()
  @IsBoolean()
  overwrite?: boolean | null;
}

export class ReplaceLabelsDto {
  /** All labels of the document from now on; `{}` for none. Values are kept as text. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  @IsObject()
  labels!: Record<string, unknown>;
}

export class ReindexDocumentDto {
  /** In Unicode code points; as before when absent. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_CHUNK_SIZE)
  chunk_size_chars?: number | null;

  /** In Unicode code points; as before when both are absent. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_CHUNK_SIZE)
  chunk_overlap_chars?: number | null;
}

/** A bound of a range that does not lie before the other one; a missing one is no fault. */
function NotBefore(other: string): PropertyDecorator {
  return ValidateBy({
    name: 'notBefore',
    validator: {
      validate: (value, context) => {
        const bound: unknown = context === undefined ? undefined : Reflect.get(context.object, other);
        return typeof value !== 'number' || typeof bound !== 'number' || value >= bound;
      },
      defaultMessage: () => `$property must not be less than ${other}`,
    },
  });
}

export class ListDocumentsQuery extends PageQuery {
  /** Only documents of this corpus. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  corpus_id?: string;
}

/** What is not written as a whole number stays as it is, for the validator to refuse. */
const wholeNumber = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;

export class DocumentContentQuery {
  /** In Unicode code points of the document's text, as in citations; 0 when absent. */
  @ApiPropertyOptional({ type: 'integer', minimum: 0 })
  @IsOptional()
  @Transform(wholeNumber)
  @IsInt()
  @Min(0)
  from?: number;

  /** The position after the last; the end of the text when absent. */
  @ApiPropertyOptional({ type: 'integer', minimum: 0 })
  @IsOptional()
  @Transform(wholeNumber)
  @IsInt()
  @Min(0)
  @NotBefore('from')
  to?: number;
}

export class DocumentContentDto {
  document_id!: string;
  /** As asked for, but not beyond the end of the text. */
  from!: number;
  /** Less than asked for when the text ends there, or after 100,000 code points: go on from here. */
  to!: number;
  text!: string;
  /** Code points of the whole text. */
  total_chars!: number;
}

export class AcceptedDocumentDto {
  document_id!: string;
  status!: string;
  job_id!: string | null;
  /** Where to follow the ingestion. */
  status_url!: string;
}

export class DocumentDto {
  id!: string;
  tenant_id!: string;
  corpus_id!: string;
  filename!: string;
  content_type!: string;
  /** Same as `ingest_source`. */
  source!: string;
  ingest_source!: string;
  status!: string;
  failure_code!: string | null;
  failure_reason!: string | null;
  created_at!: string;
  updated_at!: string;
  queued_at!: string | null;
  processing_started_at!: string | null;
  completed_at!: string | null;
  last_reindexed_at!: string | null;
  last_job_id!: string | null;
  /** Of the latest job. */
  attempts!: number;
  /** Null in lists, and while the document is not searchable. */
  num_chunks!: number | null;
  metadata_json!: Record<string, unknown>;
  labels!: Record<string, string>;
  /** Of what is stored: a text in UTF-8, a file as sent. */
  byte_count!: number;
  /** Of what is stored: a text in UTF-8, a file as sent. */
  content_sha256!: string;
  chunker!: string;
  chunk_size_chars!: number;
  chunk_overlap_chars!: number;
}

export function toAcceptedDto(accepted: Accepted, apiVersion: Context['apiVersion']): AcceptedDocumentDto {
  const path = `/documents/${accepted.documentId}`;
  return {
    document_id: accepted.documentId,
    status: accepted.status,
    job_id: accepted.jobId,
    status_url: apiVersion === 'legacy' ? path : `/v1${path}`,
  };
}

export function toDocumentDto(document: DocumentDetails): DocumentDto {
  return {
    id: document.id,
    tenant_id: document.tenantId,
    corpus_id: document.corpusId,
    filename: document.filename,
    content_type: document.contentType,
    source: document.ingestSource,
    ingest_source: document.ingestSource,
    status: document.status,
    failure_code: document.failureCode,
    failure_reason: document.failureReason,
    created_at: document.createdAt.toISOString(),
    updated_at: document.updatedAt.toISOString(),
    queued_at: iso(document.queuedAt),
    processing_started_at: iso(document.processingStartedAt),
    completed_at: iso(document.completedAt),
    last_reindexed_at: iso(document.lastReindexedAt),
    last_job_id: document.lastJobId,
    attempts: document.attempts,
    num_chunks: document.status === 'succeeded' ? document.numChunks : null,
    metadata_json: document.metadata,
    labels: document.labels,
    byte_count: document.byteCount,
    content_sha256: document.contentSha256,
    chunker: document.chunker,
    chunk_size_chars: document.chunkParams.size,
    chunk_overlap_chars: document.chunkParams.overlap,
  };
}

export function toDocumentContentDto(
  documentId: string,
  { from, to, text, totalChars }: TextRange,
): DocumentContentDto {
  return { document_id: documentId, from, to, text, total_chars: totalChars };
}

function iso(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}
