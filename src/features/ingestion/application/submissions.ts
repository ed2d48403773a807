import { Inject, Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { sha256Hex } from '../../../kernel/hash.js';
import { Ids } from '../../../kernel/ids.js';
import { resolveChunkParams, validateChunkParams, type ChunkParams } from '../domain/chunker.js';
import { sanitiseFilename } from '../domain/document-id.js';
import type { ChunkerVersion, IngestSource } from '../domain/document.js';
import { acceptLabels, acceptMetadata, parseMetadata, type MetadataResult } from '../domain/metadata.js';
import { looksLike } from '../domain/file-types.js';
import { acceptText, type TextResult } from '../domain/source-text.js';
import { decodeUpload } from '../domain/upload-text.js';
import { uploadTypeOf } from '../domain/upload-type.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { ingestionSettings, type IngestionSettings } from '../ingestion.settings.js';

interface Request {
  readonly corpusId: string;
  readonly documentId?: string | undefined;
  readonly overwrite: boolean;
}

export interface TextRequest extends Request {
  readonly text: string;
  readonly filename?: string | undefined;
  readonly metadata?: unknown;
  readonly chunkSize?: number | undefined;
  readonly chunkOverlap?: number | undefined;
  /** How citations name the document; `document://<id>` by default. */
  readonly uri?: string | undefined;
  /** What CHUNKER says, by default. */
  readonly chunker?: ChunkerVersion;
}

export interface UploadRequest extends Request {
  readonly file: { readonly name: string; readonly contentType: string; readonly bytes: Uint8Array };
  /** Text of the form field. */
  readonly metadataJson?: string | undefined;
}

export interface ReindexRequest {
  readonly chunkSize?: number | undefined;
  readonly chunkOverlap?: number | undefined;
}

export type Reindexing = Pick<Submission, 'jobId' | 'chunker' | 'chunkParams'>;

/** A document as sent, checked and in stored form. */
export interface Submission {
  readonly id: string;
  readonly jobId: string;
  readonly corpusId: string;
  readonly overwrite: boolean;
  readonly uri?: string | undefined;
  readonly filename: string;
  readonly contentType: string;
  readonly ingestSource: IngestSource;
  /** What is stored: a text in UTF-8, a file as sent. */
  readonly bytes: Uint8Array;
  readonly contentSha256: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly chunker: ChunkerVersion;
  readonly chunkParams: ChunkParams;
  /** For the audit trail: names and sizes, no content. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Checks what senders send. Needs no database, so a document that cannot be indexed costs nothing more. */
@Injectable()
export class Submissions {
  constructor(
    @Inject(ingestionSettings.token) private readonly settings: IngestionSettings,
    private readonly ids: Ids,
  ) {}

  /** @throws INGEST_VALIDATION_ERROR naming the offending part. */
  ofText(request: TextRequest): Submission {
    const text = accepted(acceptText(request.text));
    const metadata = described(acceptMetadata(request.metadata));
    const filename = sanitiseFilename(request.filename, 'raw_text.txt');
    return {
      ...this.#common(request, utf8(text)),
      ...metadata,
      uri: request.uri,
      filename,
      contentType: 'text/plain',
      ingestSource: 'raw_text',
      ...(request.chunker === undefined ? {} : { chunker: request.chunker }),
      chunkParams: this.#chunkParams({ size: request.chunkSize, overlap: request.chunkOverlap }),
      facts: {
        file_name: filename,
        char_count: Array.from(text).length,
        metadata_keys: Object.keys(metadata.metadata),
      },
    };
  }

  /** @throws UNSUPPORTED_MEDIA_TYPE; INGEST_VALIDATION_ERROR naming the offending part. */
  ofUpload({ file, ...request }: UploadRequest): Submission {
    const type = uploadTypeOf(file.contentType, file.name, file.bytes);
    if (type === undefined) throw commonErrors.UNSUPPORTED_MEDIA_TYPE();
    const { mediaType } = type;
    const bytes =
      type.kind === 'text' ? utf8(accepted(decodeUpload(file.bytes, type.contentType))) : likely(mediaType, file.bytes);
    const filename = sanitiseFilename(file.name);
    return {
      ...this.#common(request, bytes),
      ...described(parseMetadata(request.metadataJson)),
      filename,
      contentType: mediaType,
      ingestSource: 'upload_file',
      chunkParams: this.#chunkParams({}),
      facts: { file_name: filename, file_mime: mediaType, byte_count: file.bytes.byteLength },
    };
  }

  /** @throws INGEST_VALIDATION_ERROR naming the offending part. */
  ofLabels(given: unknown): Readonly<Record<string, string>> {
    const result = acceptLabels(given);
    if (!result.ok) throw ingestionErrors.INGEST_VALIDATION_ERROR({ message: result.reason });
    return result.labels;
  }

  /** What is absent stays as it was; a size alone brings an overlap that fits it. @throws INGEST_VALIDATION_ERROR */
  ofReindex(kept: ChunkParams, request: ReindexRequest): Reindexing {
    const { chunkSize, chunkOverlap } = request;
    const chunkParams = this.#chunkParams({
      size: chunkSize ?? kept.size,
      overlap: chunkOverlap ?? (chunkSize === undefined ? kept.overlap : undefined),
    });
    return { jobId: this.ids.uuid(), chunker: this.settings.chunker, chunkParams };
  }

  /**
   * Completes chunk parameters. With strict validation off, an unsound pair passes here and fails in the worker.
   *
   * @throws INGEST_VALIDATION_ERROR naming the offending parameter.
   */
  #chunkParams(given: { readonly size?: number | undefined; readonly overlap?: number | undefined }): ChunkParams {
    const params = resolveChunkParams(given);
    const fault = this.settings.strictChunkValidation ? validateChunkParams(params) : undefined;
    if (fault !== undefined) throw ingestionErrors.INGEST_VALIDATION_ERROR({ message: fault });
    return params;
  }

  #common(
    request: Request,
    bytes: Uint8Array,
  ): Pick<Submission, 'id' | 'jobId' | 'corpusId' | 'overwrite' | 'bytes' | 'contentSha256' | 'chunker'> {
    return {
      id: request.documentId ?? this.ids.opaque(),
      jobId: this.ids.uuid(),
      corpusId: request.corpusId,
      overwrite: request.overwrite,
      bytes,
      contentSha256: sha256Hex(bytes),
      chunker: this.settings.chunker,
    };
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A file that may be of its type; whether it can be read is found out when it is ingested. */
function likely(mediaType: string, bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength === 0) throw ingestionErrors.INGEST_VALIDATION_ERROR({ message: 'file must not be empty' });
  if (looksLike(mediaType, bytes)) return bytes;
  throw ingestionErrors.INGEST_VALIDATION_ERROR({ message: `file is not of the type ${mediaType}` });
}

function accepted(result: TextResult): string {
  if (!result.ok) throw ingestionErrors.INGEST_VALIDATION_ERROR({ message: result.reason });
  return result.text;
}

function described(result: MetadataResult): Pick<Submission, 'metadata' | 'labels'> {
  if (!result.ok) throw ingestionErrors.INGEST_VALIDATION_ERROR({ message: result.reason });
  return { metadata: result.metadata, labels: result.labels };
}
