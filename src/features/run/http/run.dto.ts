import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
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
} from 'class-validator';

export class RunDto {
  /** The conversation; opened by its first question. */
  @Matches(/^[A-Za-z0-9._:-]{1,128}$/)
  session_id!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  corpus_id!: string;

  /** The question. */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @IsString()
  @IsNotEmpty()
  message!: string;

  /** Passages to retrieve; absent, the corpus decides. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(50)
  top_k?: number;

  /** Ask for the answer as speech, too. */
  @IsOptional()
  @IsBoolean()
  audio?: boolean;

  /** `false` answers one JSON body instead of an event stream. */
  @IsOptional()
  @IsBoolean()
  stream?: boolean;

  /** `true` finishes the answer, and stores it, also when the client leaves. */
  @IsOptional()
  @IsBoolean()
  background?: boolean;

  /** Ask for a receipt where the tenant writes them on request only. */
  @IsOptional()
  @IsBoolean()
  emit_receipt?: boolean;

  /** Your own name for the question, kept in the receipt; absent, the request id. */
  @IsOptional()
  @Matches(/^[\x21-\x7e]{1,64}$/)
  query_id?: string;

  /** Your own name for what the question is part of, kept in the receipt. */
  @IsOptional()
  @Matches(/^[\x21-\x7e]{1,64}$/)
  task_id?: string;

  /** Receipt of the answer that this question follows from. */
  @IsOptional()
  @Matches(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
  parent_receipt_id?: string;

  /** Keys of the documents' metadata with the value, or the list of values, that they may have. */
  @IsOptional()
  @IsObject()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  filter?: Record<string, unknown>;
}
