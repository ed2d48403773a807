/** A passage of a document. The code points `[offsetStart, offsetEnd)` of the source text are its text. */
export interface Chunk {
  /** Position among the document's chunks, from 0. */
  readonly index: number;
  readonly text: string;
  /** Code points from the start of the source text. */
  readonly offsetStart: number;
  /** Exclusive. */
  readonly offsetEnd: number;
  /** Page that the chunk starts on, from 1; null when the text has no pages. */
  readonly page: number | null;
  /** Headings that hold for the whole chunk, such as `Travel > Expenses`; at most 300 code points. */
  readonly section: string | null;
}
