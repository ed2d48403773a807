/** Chunk size and overlap, in Unicode code points. */
export interface ChunkParams {
  readonly size: number;
  readonly overlap: number;
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

/** @throws RangeError when `validateChunkParams` has a complaint. */
export function requireChunkParams(params: ChunkParams): void {
  const fault = validateChunkParams(params);
  if (fault !== undefined) throw new RangeError(fault);
}
