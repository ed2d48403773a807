import { ApiProperty } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsInt, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { IndexState } from '../application/reembedding.js';
import type { Passage } from '../domain/passage.js';

export class SearchQuery {
  /** What to search for. */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @IsString()
  @IsNotEmpty()
  @MaxLength(8000)
  q!: string;

  /** Passages to return; absent, the corpus decides. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(50)
  top_k?: number;

  /** JSON object: keys of the documents' metadata with the value, or the list of values, that they may have. */
  @IsOptional()
  @IsString()
  @MaxLength(4096)
  filter?: string;
}

export class LegPlaceDto {
  /** On the leg's own scale. */
  score!: number;
  /** From 1. */
  rank!: number;
}

export class LegsDto {
  /** Null when the words of the question are not in the passage, or the leg was not run. */
  @ApiProperty({ type: LegPlaceDto, nullable: true })
  bm25!: LegPlaceDto | null;

  @ApiProperty({ type: LegPlaceDto, nullable: true })
  vector!: LegPlaceDto | null;
}

export class FoundPassageDto {
  chunk_id!: string | null;
  document_id!: string | null;
  source!: string;
  /** A marker where a policy bundle redacts it. */
  text!: string;
  redacted!: boolean;
  /** From 0 to 1. */
  score!: number;
  /** From 1. */
  rank!: number;
  legs!: LegsDto;
  /** `offset_start` and `offset_end` count code points of the document's text; `page` where the file has pages. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  metadata!: Record<string, unknown>;
}

export class SearchResultDto {
  items!: FoundPassageDto[];
  top_k_effective!: number;
}

export class CorpusIndexDto {
  corpus_id!: string;
  /** Whose vectors are searched. */
  embedding_model!: string;
  /** Whose vectors are being made. */
  next_embedding_model!: string | null;
  /** What the installation is configured with. */
  configured_embedding_model!: string;
  /** Passages that can be found. */
  chunk_count!: number;
}

export function toSearchResult(passages: readonly Passage[], topK: number): SearchResultDto {
  return {
    items: passages.map((passage, position) => ({
      chunk_id: passage.chunkId,
      document_id: passage.documentId,
      source: passage.source,
      text: passage.text,
      redacted: passage.redacted,
      score: passage.score,
      rank: position + 1,
      legs: { ...passage.legs },
      metadata: { page: null, ...passage.metadata },
    })),
    top_k_effective: topK,
  };
}

export function toIndexDto(corpusId: string, state: IndexState): CorpusIndexDto {
  return {
    corpus_id: corpusId,
    embedding_model: state.embeddingModel,
    next_embedding_model: state.nextEmbeddingModel,
    configured_embedding_model: state.configuredModel,
    chunk_count: state.chunkCount,
  };
}
