/** Chunk size and overlap, in Unicode code points. */
export interface ChunkParams {
  readonly size: number;
  readonly overlap: number;
}

export interface Chunk {
  /** Position among the document's chunks, from 0. */
  readonly index: number;
  readonly text: string;
  /** Code points from the start of the source text. */
  readonly offsetStart: number;
  /** Exclusive. */
  readonly offsetEnd: number;
}

export const DEFAULT_CHUNK_SIZE = 1200;
export const DEFAULT_CHUNK_OVERLAP = 150;

/**
 * Fills in what the caller left out. Zero overlap is a choice, not an absence. A size given alone gets an overlap that
 * fits it: an eighth of the size, at most the default.
 */
export function resolveChunkParams(given: {
  readonly size?: number | null | undefined;
  readonly overlap?: number | null | undefined;
}): ChunkParams {
  const size = given.size ?? DEFAULT_CHUNK_SIZE;
  const fitting = Math.min(DEFAULT_CHUNK_OVERLAP, Math.floor(size / 8));
  return { size, overlap: given.overlap ?? fitting };
}

/** The fault in the parameters, naming the wire name of the offending one; undefined when they are sound. */
export function validateChunkParams({ size, overlap }: ChunkParams): string | undefined {
  if (!Number.isSafeInteger(size) || size < 1) return 'chunk_size_chars must be a whole number of at least 1';
  if (!Number.isSafeInteger(overlap) || overlap < 0) return 'chunk_overlap_chars must be a whole number of at least 0';
  if (overlap >= size) return 'chunk_overlap_chars must be smaller than chunk_size_chars';
  return undefined;
}

/** A place in a text, known in UTF-16 units and in code points. Moves forward only, so a scan is linear. */
class TextCursor {
  units = 0;
  points = 0;

  constructor(private readonly text: string) {}

  copy(): TextCursor {
    const twin = new TextCursor(this.text);
    twin.units = this.units;
    twin.points = this.points;
    return twin;
  }

  /** Stops after `count` code points or at `limit` units, whichever comes first. */
  advance(count: number, limit: number): void {
    for (let taken = 0; taken < count && this.units < limit; taken += 1) {
      const wide = isHighSurrogate(this.text, this.units) && isLowSurrogate(this.text, this.units + 1);
      this.units += wide ? 2 : 1;
      this.points += 1;
    }
  }
}

function isHighSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800;
}

function isLowSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

/** Trimmed, non-empty paragraphs as ranges of UTF-16 units. */
function* paragraphs(text: string): Generator<{ start: number; end: number }> {
  for (let from = 0; from <= text.length;) {
    const found = text.indexOf('\n\n', from);
    const to = found === -1 ? text.length : found;
    const raw = text.slice(from, to);
    const start = from + raw.length - raw.trimStart().length;
    const end = from + raw.trimEnd().length;
    if (start < end) yield { start, end };
    from = to + 2;
  }
}

/**
 * Chunker v1. Paragraphs are what stands between exact `\n\n`, trimmed; one that fits is one chunk, a longer one is cut
 * into windows of `size` that repeat the last `overlap` code points of the window before. Deterministic.
 *
 * Guarantees that the code points `[offsetStart, offsetEnd)` of `text` are the chunk's text, and that every
 * non-whitespace character is in a chunk. Time is linear in the text plus the number of chunks: an overlap close to the
 * size yields about one chunk per `size - overlap` code points.
 *
 * @param text in stored form, see `normaliseText`; CRLF would not count as a paragraph break.
 * @param limit most chunks that the caller has a use for. A text that needs more yields exactly one more than that.
 * @throws RangeError when `validateChunkParams` has a complaint.
 */
export function chunkV1(text: string, params: ChunkParams, limit = Infinity): Chunk[] {
  const fault = validateChunkParams(params);
  if (fault !== undefined) throw new RangeError(fault);
  const { size, overlap } = params;
  const chunks: Chunk[] = [];
  const head = new TextCursor(text);
  for (const { start, end } of paragraphs(text)) {
    head.advance(Infinity, start);
    const tail = head.copy();
    tail.advance(size, end);
    for (;;) {
      chunks.push({
        index: chunks.length,
        text: text.slice(head.units, tail.units),
        offsetStart: head.points,
        offsetEnd: tail.points,
      });
      if (chunks.length > limit) return chunks;
      if (tail.units >= end) break;
      head.advance(size - overlap, end);
      tail.advance(size - overlap, end);
    }
  }
  return chunks;
}
