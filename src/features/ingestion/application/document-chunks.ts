import { Inject, Injectable } from '@nestjs/common';
import { sha256Hex } from '../../../kernel/hash.js';
import { Ids } from '../../../kernel/ids.js';
import { EmbeddingModel, type EmbeddingVector } from '../../../platform/model-gateway/index.js';
import type { IndexedChunk } from '../../retrieval/index.js';
import { chunkV1, validateChunkParams, type Chunk } from '../domain/chunker.js';
import type { Document } from '../domain/document.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { ingestionSettings, type IngestionSettings } from '../ingestion.settings.js';
import { SourceTexts } from './source-texts.js';

/** Texts per call to the embedding model; between calls an abort is noticed. */
const BATCH = 64;

export interface EmbeddedChunks {
  readonly embeddingModel: string;
  readonly chunks: readonly IndexedChunk[];
}

/** Makes the chunks of a document from its stored text. Reads and calls models, writes nothing. */
@Injectable()
export class DocumentChunks {
  constructor(
    @Inject(ingestionSettings.token) private readonly settings: IngestionSettings,
    private readonly sources: SourceTexts,
    private readonly embeddings: EmbeddingModel,
    private readonly ids: Ids,
  ) {}

  /**
   * @throws INGEST_SOURCE_MISSING; INGEST_VALIDATION_ERROR for unsound chunk parameters or too many chunks; whatever
   * the embedding model throws; the signal's reason.
   */
  async make(document: Document, signal: AbortSignal): Promise<EmbeddedChunks> {
    const chunks = this.#cut(document, await this.#textOf(document));
    const vectors: EmbeddingVector[] = [];
    for (let from = 0; from < chunks.length; from += BATCH) {
      signal.throwIfAborted();
      const texts = chunks.slice(from, from + BATCH).map(({ text }) => text);
      vectors.push(...(await this.embeddings.embed(texts, 'document', signal)));
    }
    return {
      embeddingModel: this.embeddings.id,
      chunks: chunks.map((chunk, position) => this.#indexed(document, chunk, vectors[position] ?? [])),
    };
  }

  async #textOf({ storageKey }: Document): Promise<string> {
    const text = storageKey === null ? undefined : await this.sources.read(storageKey);
    if (text === undefined) throw ingestionErrors.INGEST_SOURCE_MISSING();
    return text;
  }

  #cut({ chunkParams }: Document, text: string): Chunk[] {
    const fault = validateChunkParams(chunkParams);
    if (fault !== undefined) throw ingestionErrors.INGEST_VALIDATION_ERROR({ message: fault });
    const { maxChunks } = this.settings;
    const chunks = chunkV1(text, chunkParams, maxChunks);
    if (chunks.length <= maxChunks) return chunks;
    throw ingestionErrors.INGEST_VALIDATION_ERROR({
      message: `The document needs more than ${maxChunks} chunks. Raise chunk_size_chars, lower chunk_overlap_chars or split it.`,
    });
  }

  #indexed({ filename, contentType, metadata }: Document, chunk: Chunk, embedding: EmbeddingVector): IndexedChunk {
    return {
      id: this.ids.uuid(),
      index: chunk.index,
      text: chunk.text,
      embedding,
      contentSha256: sha256Hex(chunk.text),
      metadata: {
        filename,
        content_type: contentType,
        offset_start: chunk.offsetStart,
        offset_end: chunk.offsetEnd,
        ...(Object.keys(metadata).length === 0 ? {} : { document_metadata: metadata }),
      },
    };
  }
}
