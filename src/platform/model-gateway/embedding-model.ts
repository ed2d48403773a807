/** Length of every vector on the platform; the database column has it too. */
export const EMBED_DIM = 768;

/** Providers embed what is searched and what searches differently. */
export type EmbeddingKind = 'document' | 'query';

export type EmbeddingVector = readonly number[];

/**
 * Turns texts into vectors of `EMBED_DIM` numbers, one per text, in order.
 *
 * @throws EMBEDDING_CONFIG_MISSING, EMBEDDING_ERROR, EMBEDDING_DIMENSION_MISMATCH, INTEGRATION_UNAVAILABLE; never
 * falls back to another model, because vectors of two models do not compare.
 */
export abstract class EmbeddingModel {
  /** Stored with every chunk: only vectors with the same id compare. */
  abstract readonly id: string;
  readonly dimensions = EMBED_DIM;
  abstract embed(
    texts: readonly string[],
    kind: EmbeddingKind,
    signal?: AbortSignal,
  ): Promise<readonly EmbeddingVector[]>;
}

/** The vector at length 1; the zero vector stays as it is. */
export function normalised(vector: readonly number[]): EmbeddingVector {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? vector : vector.map((value) => value / norm);
}
