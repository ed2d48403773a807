export interface ParsedFile {
  readonly bytes: Uint8Array;
  /** One of `PARSED_TYPES`, without parameters. */
  readonly mediaType: string;
}

/**
 * Port: the text of a file, its structure kept as light Markdown. Headings begin with `#`, list items with `- ` or
 * `1. `, paragraphs are separated by an empty line, table cells by ` | `, one row per line. Pages of a PDF and slides
 * of a presentation are separated by a form feed, so the page of an offset is 1 + the form feeds before it; no other
 * form feed occurs. Lines end with LF; NUL and lone surrogates do not occur.
 */
export abstract class DocumentParser {
  /**
   * @throws FILE_ENCRYPTED, FILE_CORRUPT, FILE_TOO_LARGE, FILE_TIMEOUT, FILE_WITHOUT_TEXT, which another attempt with
   * the same file does not mend; Error when the parser itself could not run; the signal's reason.
   */
  abstract parse(file: ParsedFile, signal: AbortSignal): Promise<string>;
}
