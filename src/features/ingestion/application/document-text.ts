import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { DocumentParser } from '../../../platform/document-parser/index.js';
import type { Document } from '../domain/document.js';
import { isFileType } from '../domain/file-types.js';
import { normaliseText } from '../domain/source-text.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { DocumentsRepository } from '../persistence/documents.repository.js';
import { SourceTexts } from './source-texts.js';

/**
 * The text of a document: what is cut into chunks, and what offsets count in. That of a file is read from it once and
 * then kept, so that it stays the same until other content is sent.
 */
@Injectable()
export class DocumentText {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly documents: DocumentsRepository,
    private readonly sources: SourceTexts,
    private readonly parser: DocumentParser,
  ) {}

  /**
   * Outside a transaction: reading a file can take minutes.
   *
   * @throws INGEST_SOURCE_MISSING; the codes of a file that cannot be read; the signal's reason.
   */
  async of(document: Document, signal: AbortSignal): Promise<string> {
    return (await this.stored(document)) ?? (await this.#read(document, signal));
  }

  /** Undefined when it is missing, or a file that was not read yet. */
  async stored({ storageKey, contentType }: Document): Promise<string | undefined> {
    if (storageKey === null) return undefined;
    return isFileType(contentType) ? this.sources.readTextOf(storageKey) : this.sources.read(storageKey);
  }

  async #read({ id, storageKey, contentType }: Document, signal: AbortSignal): Promise<string> {
    const bytes = storageKey === null || !isFileType(contentType) ? undefined : await this.sources.readFile(storageKey);
    if (storageKey === null || bytes === undefined) throw ingestionErrors.INGEST_SOURCE_MISSING();
    const text = normaliseText(await this.parser.parse({ bytes, mediaType: contentType }, signal));
    await this.sources.keepTextOf(storageKey, text);
    await this.#removeIfObsolete(id, storageKey);
    return text;
  }

  /** The document may have been given up, then deleted or replaced, and its file removed, while the file was read. */
  async #removeIfObsolete(documentId: string, key: string): Promise<void> {
    await this.uow.run(async () => {
      const document = await this.documents.find(documentId);
      if (document?.storageKey !== key) await this.sources.discard([{ documentId, key }]);
    });
  }
}
