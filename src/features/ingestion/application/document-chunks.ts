import { Inject, Injectable } from '@nestjs/common';
import type { NewChunk } from '../../retrieval/index.js';
import { chunkText, validateChunkParams, type Chunk } from '../domain/chunker.js';
import type { Document } from '../domain/document.js';
import { isPaginated } from '../domain/file-types.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { ingestionSettings, type IngestionSettings } from '../ingestion.settings.js';
import { DocumentText } from './document-text.js';

/** Cuts a document into the passages that are searched. Writes nothing. */
@Injectable()
export class DocumentChunks {
  constructor(
    @Inject(ingestionSettings.token) private readonly settings: Pick<IngestionSettings, 'maxChunks'>,
    private readonly text: DocumentText,
  ) {}

  /**
   * @throws INGEST_SOURCE_MISSING; INGEST_VALIDATION_ERROR for unsound chunk parameters or too many chunks; the codes of
   * a file that cannot be read; the signal's reason.
   */
  async cut(document: Document, signal: AbortSignal): Promise<NewChunk[]> {
    const { chunker, chunkParams } = document;
    const fault = validateChunkParams(chunkParams);
    if (fault !== undefined) throw ingestionErrors.INGEST_VALIDATION_ERROR({ message: fault });
    const { maxChunks } = this.settings;
    const paginated = isPaginated(document.contentType);
    const chunks = chunkText(chunker, await this.text.of(document, signal), chunkParams, {
      limit: maxChunks,
      paginated,
    });
    if (chunks.length <= maxChunks) return chunks.map((chunk) => newChunk(document, chunk));
    throw ingestionErrors.INGEST_VALIDATION_ERROR({
      message: `The document needs more than ${maxChunks} chunks. Raise chunk_size_chars, lower chunk_overlap_chars or split it.`,
    });
  }
}

function newChunk({ filename, contentType, metadata }: Document, chunk: Chunk): NewChunk {
  const { index, text, offsetStart, offsetEnd, page, section } = chunk;
  return {
    index,
    text,
    searchText: section === null ? text : `${section}\n${text}`,
    metadata: {
      filename,
      content_type: contentType,
      offset_start: offsetStart,
      offset_end: offsetEnd,
      ...(page === null ? {} : { page }),
      ...(section === null ? {} : { section }),
      ...(Object.keys(metadata).length === 0 ? {} : { document_metadata: metadata }),
    },
  };
}
