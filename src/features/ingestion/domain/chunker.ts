import type { Chunk } from './chunk.js';
import type { ChunkParams } from './chunk-params.js';
import { chunkV1 } from './chunker-v1.js';
import { chunkV2 } from './chunker-v2.js';
import type { ChunkerVersion } from './document.js';
import { TextCursor } from './text-cursor.js';

export type { Chunk } from './chunk.js';
export { resolveChunkParams, validateChunkParams, type ChunkParams } from './chunk-params.js';
export { chunkV1 } from './chunker-v1.js';

export interface ChunkTextOptions {
  /** Most chunks that the caller has a use for. A text that needs more yields exactly one more than that. */
  readonly limit: number;
  /** Whether form feeds separate the pages of a document, so that chunks can tell theirs. */
  readonly paginated: boolean;
}

/**
 * Cuts a text in stored form into chunks, see `chunkV1` and `chunkV2` for how.
 *
 * @throws RangeError when `validateChunkParams` has a complaint.
 */
export function chunkText(
  version: ChunkerVersion,
  text: string,
  params: ChunkParams,
  { limit, paginated }: ChunkTextOptions,
): Chunk[] {
  const chunks = version === 'v1' ? chunkV1(text, params, limit) : chunkV2(text, params, limit);
  return paginated ? withPages(text, chunks) : chunks;
}

function withPages(text: string, chunks: readonly Chunk[]): Chunk[] {
  const cursor = new TextCursor(text);
  let page = 1;
  let formFeed = text.indexOf('\f');
  return chunks.map((chunk) => {
    for (; formFeed !== -1; formFeed = text.indexOf('\f', formFeed + 1), page += 1) {
      cursor.advance(Infinity, formFeed);
      if (cursor.points >= chunk.offsetStart) break;
    }
    return { ...chunk, page };
  });
}
