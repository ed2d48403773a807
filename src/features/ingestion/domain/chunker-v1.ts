import type { Chunk } from './chunk.js';
import { requireChunkParams, type ChunkParams } from './chunk-params.js';
import { TextCursor, trimmedRange } from './text-cursor.js';

/** Trimmed, non-empty paragraphs as ranges of UTF-16 units. */
function* paragraphs(text: string): Generator<{ start: number; end: number }> {
  for (let from = 0; from <= text.length;) {
    const found = text.indexOf('\n\n', from);
    const to = found === -1 ? text.length : found;
    const paragraph = trimmedRange(text, from, to);
    if (paragraph !== undefined) yield paragraph;
    from = to + 2;
  }
}

/**
 * Chunker v1, frozen: documents made with it keep their chunks. Paragraphs are what stands between exact `\n\n`,
 * trimmed; one that fits is one chunk, a longer one is cut into windows of `size` that repeat the last `overlap` code
 * points of the window before. Deterministic. Knows neither pages nor sections.
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
  requireChunkParams(params);
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
        page: null,
        section: null,
      });
      if (chunks.length > limit) return chunks;
      if (tail.units >= end) break;
      head.advance(size - overlap, end);
      tail.advance(size - overlap, end);
    }
  }
  return chunks;
}
