import { Injectable } from '@nestjs/common';
import { isInFlight } from '../domain/document-status.js';
import { textRange, type TextRange } from '../domain/text-range.js';
import { ingestionErrors } from '../ingestion.errors.js';
import { DocumentText } from './document-text.js';
import { Documents } from './documents.js';

/** Code points per answer. */
const MAX_CHARS = 100_000;

/** The text behind citations, which name their place in it. */
@Injectable()
export class DocumentContent {
  constructor(
    private readonly documents: Documents,
    private readonly texts: DocumentText,
  ) {}

  /**
   * The part that lies in the text, at most 100,000 code points of it. Reads no file: that is the worker's part.
   *
   * @throws NOT_FOUND; INGEST_IN_PROGRESS, INGEST_SOURCE_MISSING.
   */
  async read(id: string, from: number, to: number | undefined): Promise<TextRange> {
    const document = await this.documents.get(id);
    // While a text is replaced, passages of the one before are found, and their offsets do not count in this one.
    const pending = isInFlight(document.status);
    if (pending && document.generation > 1) throw ingestionErrors.INGEST_IN_PROGRESS();
    const text = await this.texts.stored(document);
    if (text !== undefined) return textRange(text, from, to, MAX_CHARS);
    throw pending ? ingestionErrors.INGEST_IN_PROGRESS() : ingestionErrors.INGEST_SOURCE_MISSING();
  }
}
