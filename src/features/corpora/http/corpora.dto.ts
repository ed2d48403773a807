import { Transform } from 'class-transformer';
import { IsNotEmpty, IsObject, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { IsFlag, trim } from '../../../platform/http/index.js';
import type { Corpus } from '../domain/corpus.js';

export class CreateCorpusDto {
  /** Your own identifier; unset, one is made. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
  id?: string;

  /** Unique in the tenant. */
  @Transform(trim)
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name!: string;

  /** `{}` or absent: local retrieval. */
  @IsOptional()
  @IsObject()
  provider_config_json?: Record<string, unknown>;
}

export class UpdateCorpusDto {
  @IsOptional()
  @Transform(trim)
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name?: string | null;

  /** Replaces the whole config; keys beside `retrieval` are kept as given. */
  @IsOptional()
  @IsObject()
  provider_config_json?: Record<string, unknown> | null;
}

export class DeleteCorpusQuery {
  /** Delete the documents of the corpus, too. */
  @IsOptional()
  @IsFlag()
  cascade?: boolean;
}

export class CorpusDto {
  id!: string;
  tenant_id!: string;
  name!: string;
  provider_config_json!: Record<string, unknown>;
  created_at!: string;
  updated_at!: string;
}

export function toCorpusDto(corpus: Corpus): CorpusDto {
  return {
    id: corpus.id,
    tenant_id: corpus.tenantId,
    name: corpus.name,
    provider_config_json: corpus.providerConfig as Record<string, unknown>,
    created_at: corpus.createdAt.toISOString(),
    updated_at: corpus.updatedAt.toISOString(),
  };
}
