/** What retrieval yields, in rank order. Providers outside the platform know no ids of ours. */
export interface RetrievedChunk {
  readonly chunkId: string | null;
  readonly documentId: string | null;
  readonly source: string;
  readonly text: string;
  /** From 0 to 1. */
  readonly score: number;
  /** As stored with the chunk: `filename`, `page`, `offset_start`, `offset_end` and what the provider adds. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A citation as sent. */
export interface Citation {
  /** From 1; what the `[n]` markers in the answer refer to. */
  readonly index: number;
  readonly chunk_id: string | null;
  readonly document_id: string | null;
  readonly filename: string | null;
  readonly page: number | null;
  /** Code points of the stored source text. */
  readonly offset_start: number | null;
  /** Exclusive. */
  readonly offset_end: number | null;
  readonly source: string;
  readonly score: number;
  /** Whether the answer has a marker for it. */
  readonly cited: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const NUMBERS = ' *\\d+ *(?:, *\\d+ *)*';
const MARKERS = new RegExp(`\\[(${NUMBERS})\\]`, 'g');
const MARKER_INSIDE = new RegExp(`^${NUMBERS}$`);

/** One citation per retrieved chunk, in rank order; those the answer does not use stay listed as not cited. */
export function citationsFor(chunks: readonly RetrievedChunk[], answer: string): Citation[] {
  const cited = citedIndexes(answer);
  return chunks.map((chunk, position) => ({
    index: position + 1,
    chunk_id: chunk.chunkId,
    document_id: chunk.documentId,
    filename: textOrNull(chunk.metadata['filename']),
    page: numberOrNull(chunk.metadata['page']),
    offset_start: numberOrNull(chunk.metadata['offset_start']),
    offset_end: numberOrNull(chunk.metadata['offset_end']),
    source: chunk.source,
    score: chunk.score,
    cited: cited.has(position + 1),
    metadata: chunk.metadata,
  }));
}

/** Numbers that stand in `[n]` or `[n, m]` markers of the text. */
export function citedIndexes(text: string): Set<number> {
  return new Set([...text.matchAll(MARKERS)].flatMap(([, inside = '']) => numbersIn(inside)));
}

/**
 * Keeps markers without a source out of a streamed answer. `[n]` with n outside 1..count is dropped, from a list like
 * `[5, 7]` only the numbers without a source are. What may still become a marker is held back until that is decided,
 * so nothing has to be taken back, and the concatenation of what is returned is the final text. The result does not
 * depend on how the text is cut into deltas.
 */
export class MarkerFilter {
  /** Empty, or the tail of the text from the first `[` that may still open a marker. */
  #held = '';

  /** @param count number of retrieved chunks; with 0 every marker is dropped. */
  constructor(private readonly count: number) {}

  /** The text that may leave now; may be empty. */
  push(delta: string): string {
    let out = '';
    for (const piece of delta.match(/[[\]]|[\d ,]+|[^[\]\d ,]+/g) ?? []) {
      if (piece === ']') out += this.#close();
      else if (piece === '[' || (this.#held !== '' && /^[\d ,]/.test(piece))) this.#held += piece;
      else out += this.#release() + piece;
    }
    return out;
  }

  /** What is still held when the text has ended. */
  end(): string {
    return this.#release();
  }

  #release(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /**
   * Decides on the innermost open bracket. After a drop, an outer bracket stays open: `[[9]7]` must not
   * become `[7]`.
   */
  #close(): string {
    const opening = this.#held.lastIndexOf('[');
    const inside = this.#held.slice(opening + 1);
    if (opening === -1 || !MARKER_INSIDE.test(inside)) return `${this.#release()}]`;
    const numbers = numbersIn(inside);
    const sourced = numbers.filter((number) => number >= 1 && number <= this.count);
    if (sourced.length === 0) {
      this.#held = this.#held.slice(0, opening);
      return '';
    }
    const before = this.#release().slice(0, opening);
    return `${before}[${sourced.length === numbers.length ? inside : sourced.join(', ')}]`;
  }
}

function numbersIn(inside: string): number[] {
  return inside.split(',').map(Number);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
