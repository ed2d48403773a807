import { EmbeddingModel } from './embedding-model.js';
import type { EmbeddingKind, EmbeddingVector } from './embedding-model.js';

/** Remembers the vectors of the most recently used queries, so that a repeated question costs no call. */
export class CachedQueryEmbedding extends EmbeddingModel {
  readonly id: string;
  readonly #vectors = new Map<string, EmbeddingVector>();

  /** @param capacity in queries; one takes about 6 kB. */
  constructor(
    private readonly model: EmbeddingModel,
    private readonly capacity: number,
  ) {
    super();
    this.id = model.id;
  }

  async embed(
    texts: readonly string[],
    kind: EmbeddingKind,
    signal?: AbortSignal,
  ): Promise<readonly EmbeddingVector[]> {
    if (kind === 'document') return this.model.embed(texts, kind, signal);
    const known = texts.map((text) => this.recall(text));
    const unknown = texts.filter((_text, position) => known[position] === undefined);
    const fresh = unknown.length === 0 ? [] : await this.model.embed(unknown, kind, signal);
    for (const [position, text] of unknown.entries()) this.remember(text, fresh[position] ?? []);
    let next = 0;
    return known.map((vector) => vector ?? fresh[next++] ?? []);
  }

  private recall(text: string): EmbeddingVector | undefined {
    const vector = this.#vectors.get(text);
    if (vector !== undefined) this.remember(text, vector);
    return vector;
  }

  /** A map keeps the order of insertion, so the first key is the one unused for longest. */
  private remember(text: string, vector: EmbeddingVector): void {
    this.#vectors.delete(text);
    this.#vectors.set(text, vector);
    if (this.#vectors.size <= this.capacity) return;
    const [oldest] = this.#vectors.keys();
    if (oldest !== undefined) this.#vectors.delete(oldest);
  }
}
