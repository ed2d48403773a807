import type { ChunkParams } from './chunk-params.js';
import { commonPath, type HeadingPath } from './outline.js';
import type { Block } from './text-blocks.js';
import { CUT, stretchesOfSpan, type Piece } from './text-pieces.js';

/** A piece with the block it is from and the headings above it. */
export interface PlacedPiece extends Piece {
  readonly block: Block;
  readonly path: HeadingPath;
}

/** What becomes one chunk. */
export interface Cutout {
  readonly first: PlacedPiece;
  readonly last: PlacedPiece;
  readonly path: HeadingPath;
}

/** A rest of a section shorter than this part of the size is not left to a chunk of its own. */
const TINY = 1 / 5;

/**
 * The pieces that the next chunks are made of, in order. The caller pushes one piece at a time and, while the window is
 * longer than the size, cuts off a chunk. Cutting leaves the overlap in the window, so every chunk starts and ends
 * behind the one before. Needs constant time per piece, whatever the overlap.
 */
export class ChunkWindow {
  #pieces: PlacedPiece[] = [];
  /** Pieces before it are done with. */
  #head = 0;
  /** First piece that the next cut may stand before: behind the end of the chunk before. */
  #fresh = 1;

  constructor(
    private readonly text: string,
    private readonly params: ChunkParams,
  ) {}

  get first(): PlacedPiece | undefined {
    return this.#pieces[this.#head];
  }

  get last(): PlacedPiece | undefined {
    return this.first === undefined ? undefined : this.#pieces.at(-1);
  }

  /** In code points, from the first piece to the last. */
  get length(): number {
    return (this.last?.endPoint ?? 0) - (this.first?.startPoint ?? 0);
  }

  push(piece: PlacedPiece): void {
    this.#pieces.push(piece);
  }

  /** Everything as one chunk; undefined when there is nothing. */
  flush(): Cutout | undefined {
    const cutout = this.first === undefined ? undefined : this.#cutout(this.#pieces.length);
    this.#pieces = [];
    this.#head = 0;
    this.#fresh = 1;
    return cutout;
  }

  /**
   * The best chunk from the start of a window that is longer than the size, and by no more than its last piece.
   *
   * @param endOfSection where the section ends, in code points, when that is before the given place.
   */
  cutOff(endOfSection: (before: number) => number | undefined): Cutout | undefined {
    const at = this.#balanced(this.#best(), endOfSection);
    const cutout = this.#cutout(at);
    this.#restart(at);
    return cutout;
  }

  /** Before the piece with this index stands the best cut in the second half, else the last one that is any good. */
  #best(): number {
    let best = this.#pieces.length - 1;
    for (let at = best - 1; at >= this.#fresh; at -= 1) {
      if (this.#cutAt(best) > CUT.worst && this.#filled(at) < this.params.size / 2) break;
      if (this.#cutAt(at) > this.#cutAt(best)) best = at;
    }
    return best;
  }

  /** Another cut, near the middle, when the given one leaves a tiny rest of the section. */
  #balanced(best: number, endOfSection: (before: number) => number | undefined): number {
    const rest = this.#pieces[best];
    const start = this.first?.startPoint ?? 0;
    const end = rest === undefined ? undefined : endOfSection(rest.startPoint + this.params.size * TINY);
    if (end === undefined) return best;
    const total = end - start;
    let chosen: number | undefined;
    for (let at = this.#fresh; at < this.#pieces.length; at += 1) {
      const filled = this.#filled(at);
      if (this.#cutAt(at) === CUT.worst || filled < total * 0.35 || filled > total * 0.65) continue;
      if (chosen === undefined || this.#isBetter(at, chosen, total / 2)) chosen = at;
    }
    return chosen ?? best;
  }

  #isBetter(at: number, than: number, middle: number): boolean {
    if (this.#cutAt(at) !== this.#cutAt(than)) return this.#cutAt(at) > this.#cutAt(than);
    return Math.abs(this.#filled(at) - middle) < Math.abs(this.#filled(than) - middle);
  }

  #cutAt(index: number): number {
    return this.#pieces[index]?.cut ?? CUT.worst;
  }

  /** Length of the chunk that a cut before the piece makes. */
  #filled(index: number): number {
    return (this.#pieces[index - 1]?.endPoint ?? 0) - (this.first?.startPoint ?? 0);
  }

  #cutout(end: number): Cutout | undefined {
    const first = this.first;
    const last = this.#pieces[end - 1];
    if (first === undefined || last === undefined) return undefined;
    let path = last.path;
    for (let at = this.#head; at < end - 1 && first.path !== last.path; at += 1) {
      const piece = this.#pieces[at];
      if (piece !== undefined && !this.#announcesNext(at)) path = commonPath(path, piece.path);
    }
    return { first, last, path };
  }

  /** A heading says what the piece below is about, not the other way round. */
  #announcesNext(index: number): boolean {
    return this.#pieces[index]?.block.kind === 'heading' && this.#cutAt(index + 1) === CUT.worst;
  }

  /** Starts the next chunk before the piece at `cut`, or as far in front of it as the overlap allows. */
  #restart(cut: number): void {
    const previous = this.#pieces[cut - 1];
    const next = this.#pieces[cut];
    let head = cut;
    if (previous !== undefined && next !== undefined && previous.block === next.block) {
      // The overlap must leave room for the piece behind the cut, or the next chunk would say nothing new.
      const earliest = Math.max(previous.endPoint - this.params.overlap, next.endPoint - this.params.size);
      head = this.#head + 1;
      while (head < cut && !startsIn(this.#pieces[head], previous.block, earliest)) head += 1;
      const end = head === cut && next.cut < CUT.line ? this.#endOf(previous, earliest) : undefined;
      if (end !== undefined) {
        head = cut - 1;
        this.#pieces[head] = end;
      }
    }
    this.#head = head;
    this.#fresh = cut + 1;
    this.#forget();
  }

  /** As much of the end of a piece as starts at or behind `earliest`, from a word, else from a grapheme on. */
  #endOf(piece: PlacedPiece, earliest: number): PlacedPiece | undefined {
    const room = piece.endPoint - earliest;
    if (room < 1) return undefined;
    for (const part of stretchesOfSpan(this.text, piece, { most: room, aim: Math.ceil(room / 8) })) {
      if (part.startPoint < earliest || part.cut === CUT.worst || part.startPoint === piece.startPoint) continue;
      return { ...piece, start: part.start, startPoint: part.startPoint, cut: part.cut };
    }
    return undefined;
  }

  /** Drops what is done with, once it is the greater part. */
  #forget(): void {
    if (this.#head < 1024 || this.#head * 2 < this.#pieces.length) return;
    this.#pieces = this.#pieces.slice(this.#head);
    this.#fresh -= this.#head;
    this.#head = 0;
  }
}

function startsIn(piece: PlacedPiece | undefined, block: Block, earliest: number): boolean {
  return piece?.block === block && piece.startPoint >= earliest;
}
