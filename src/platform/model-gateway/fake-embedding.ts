import { createHash } from 'node:crypto';
import { EMBED_DIM, EmbeddingModel, normalised } from './embedding-model.js';
import type { EmbeddingKind, EmbeddingVector } from './embedding-model.js';

/** Bag of hashed words. Compares words, not meaning; text without ASCII letters or digits is the zero vector. */
export class FakeEmbeddingModel extends EmbeddingModel {
  readonly id = 'fake-v1';

  embed(texts: readonly string[], _kind: EmbeddingKind, signal?: AbortSignal): Promise<readonly EmbeddingVector[]> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return Promise.resolve(texts.map(fakeEmbedding));
  }
}

/**
 * Stored vectors and fixtures depend on every bit of this: tokens `[A-Za-z0-9_]+` of the lower-cased text; from
 * the hex SHA-256 h of each, position `h[0..8) mod 768`, sign + when `h[8..12)` is even, magnitude
 * `0.2 + (h[12..20) mod 1000) / 1000`; sums in double precision, then divided by the Euclidean norm.
 */
export function fakeEmbedding(text: string): EmbeddingVector {
  const vector = new Array<number>(EMBED_DIM).fill(0);
  for (const [token] of text.toLowerCase().matchAll(/[A-Za-z0-9_]+/g)) {
    const { position, value } = contributionOf(token);
    vector[position] = (vector[position] ?? 0) + value;
  }
  return normalised(vector);
}

interface Contribution {
  readonly position: number;
  readonly value: number;
}

/** Words that a process remembers; hashing them again would be most of the work. */
const REMEMBERED = 50_000;
const contributions = new Map<string, Contribution>();

function contributionOf(token: string): Contribution {
  let contribution = contributions.get(token);
  if (contribution === undefined) {
    contribution = hashed(token);
    if (contributions.size >= REMEMBERED) contributions.clear();
    contributions.set(token, contribution);
  }
  return contribution;
}

function hashed(token: string): Contribution {
  const hash = createHash('sha256').update(token).digest('hex');
  const sign = Number.parseInt(hash.slice(8, 12), 16) % 2 === 0 ? 1 : -1;
  const magnitude = 0.2 + (Number.parseInt(hash.slice(12, 20), 16) % 1000) / 1000;
  return { position: Number.parseInt(hash.slice(0, 8), 16) % EMBED_DIM, value: sign * magnitude };
}
