import type { Chunk } from './chunk.js';
import { requireChunkParams, type ChunkParams } from './chunk-params.js';
import { ChunkWindow, type Cutout } from './chunk-window.js';
import { Outline, sectionOf } from './outline.js';
import { readBlocks, type Block } from './text-blocks.js';
import type { TextSpan } from './text-cursor.js';
import { CUT, piecesOfBlock, type Cut } from './text-pieces.js';

/**
 * Chunker v2. Fills chunks up to `size` with whole paragraphs, list items, tables and blocks of code; what is longer
 * than a chunk is cut at lines that mean something, else between sentences, words, graphemes. Only such cuts repeat
 * text: whole sentences where they fit, never more than `overlap` code points.
 *
 * - A heading stays with what follows it. A chunk does not run across a heading of the same or a higher level, except
 *   that small sections (up to half the size) share one.
 * - A page break ends a chunk that is at least half full, or that what follows does not fit into.
 * - The rest of a section that would make a tiny chunk is evened out with the chunk before it.
 *
 * Guarantees: the code points `[offsetStart, offsetEnd)` of `text` are the chunk's text, without white space at its
 * ends; no chunk is longer than `size`; every non-whitespace character is in a chunk; each chunk starts and ends behind
 * the one before. Deterministic. Time is linear in the text plus the number of chunks.
 *
 * @param text in stored form, see `normaliseText`.
 * @param limit most chunks that the caller has a use for. A text that needs more yields exactly one more than that.
 * @throws RangeError when `validateChunkParams` has a complaint.
 */
export function chunkV2(text: string, params: ChunkParams, limit = Infinity): Chunk[] {
  requireChunkParams(params);
  return new ChunkerV2(text, params, limit).run();
}

/** Pieces of long stretches without sentence ends are this part of a chunk. */
const STRETCHES_PER_CHUNK = 16;

/** Longer ones, in code points, may be cut to keep a heading with what follows. Real ones have about ten. */
const LONGEST_GRAPHEME = 32;

class ChunkerV2 {
  readonly #blocks: BlockQueue;
  readonly #outline = new Outline();
  readonly #window: ChunkWindow;
  readonly #chunks: Chunk[] = [];
  /** The first of the headings that were placed last, while nothing else was placed below them. */
  #headings: Block | undefined;

  constructor(
    private readonly text: string,
    private readonly params: ChunkParams,
    private readonly limit: number,
  ) {
    this.#blocks = new BlockQueue(readBlocks(text));
    this.#window = new ChunkWindow(text, params);
  }

  run(): Chunk[] {
    for (let block = this.#blocks.next(); block !== undefined; block = this.#blocks.next()) {
      this.#place(block);
      if (this.#done) return this.#chunks;
    }
    this.#emit(this.#window.flush());
    return this.#chunks;
  }

  get #done(): boolean {
    return this.#chunks.length > this.limit;
  }

  #place(block: Block): void {
    const above = this.#headingsAbove(block);
    if (above === undefined && this.#endsChunk(block)) this.#emit(this.#window.flush());
    if (block.kind === 'heading') this.#outline.enter(block);
    this.#headings = block.kind === 'heading' ? (above ?? block) : undefined;
    const first = above === undefined ? cutBefore(block) : CUT.worst;
    const most = this.#mostPerPiece(block, above);
    if (block.endPoint - block.startPoint <= most) return this.#push(block, block, first);
    let cut: Cut | undefined = first;
    const aim = Math.ceil(this.params.size / STRETCHES_PER_CHUNK);
    for (const piece of piecesOfBlock(this.text, block, { most, aim: Math.min(aim, most) })) {
      this.#push(block, piece, cut ?? piece.cut);
      if (this.#done) return;
      cut = undefined;
    }
  }

  /** The first of the headings that must not be left without the block. */
  #headingsAbove(block: Block): Block | undefined {
    const isSubheading = block.kind !== 'heading' || block.level > this.#outline.level;
    return isSubheading ? this.#headings : undefined;
  }

  #endsChunk(block: Block): boolean {
    const { first, last, length } = this.#window;
    if (first === undefined || last === undefined) return false;
    const { size } = this.params;
    if (block.startsPage && (length >= size / 2 || block.endPoint - first.startPoint > size)) return true;
    const ended = block.kind === 'heading' ? this.#outline.startOfEnded(block.level) : undefined;
    if (ended === undefined) return false;
    const wholeAndSmall = ended >= first.startPoint && last.endPoint - ended <= size / 2;
    const latestEnd = Math.min(block.startPoint + Math.floor(size / 2), first.startPoint + size);
    return !wholeAndSmall || this.#blocks.endOfSection(block, block.level, latestEnd + 1) === undefined;
  }

  /** In code points. Below the size when headings must fit into the same chunk. */
  #mostPerPiece(block: Block, headings: Block | undefined): number {
    const { size } = this.params;
    if (headings === undefined || block.kind === 'code') return size;
    const room = size - (block.startPoint - headings.startPoint);
    return room >= size / 2 && room >= LONGEST_GRAPHEME ? room : size;
  }

  #push(block: Block, { start, end, startPoint, endPoint }: TextSpan, cut: Cut): void {
    this.#window.push({ start, end, startPoint, endPoint, cut, block, path: this.#outline.path });
    while (this.#window.length > this.params.size && !this.#done) {
      const level = this.#outline.level;
      this.#emit(this.#window.cutOff((before) => this.#blocks.endOfSection(block, level, before)));
    }
  }

  #emit(cutout: Cutout | undefined): void {
    if (cutout === undefined) return;
    this.#chunks.push({
      index: this.#chunks.length,
      text: this.text.slice(cutout.first.start, cutout.last.end),
      offsetStart: cutout.first.startPoint,
      offsetEnd: cutout.last.endPoint,
      page: null,
      section: sectionOf(cutout.path),
    });
  }
}

function cutBefore(block: Block): Cut {
  if (block.startsPage) return CUT.page;
  return block.kind === 'heading' ? CUT.heading : CUT.paragraph;
}

/** The blocks of a text, with a look at those to come. */
class BlockQueue {
  #ahead: Block[] = [];
  #taken = 0;

  constructor(private readonly source: Iterator<Block>) {}

  next(): Block | undefined {
    const block = this.#peek(0);
    this.#taken += 1;
    return block;
  }

  /**
   * End, in code points, of the section of this level that `block`, the latest one taken, is in.
   * Undefined when it is at `before` or beyond.
   */
  endOfSection(block: Block, level: number, before: number): number | undefined {
    let end = block.endPoint;
    for (let distance = 0; end < before; distance += 1) {
      const next = this.#peek(distance);
      if (next === undefined || (next.kind === 'heading' && next.level <= level)) return end;
      end = next.endPoint;
    }
    return undefined;
  }

  #peek(distance: number): Block | undefined {
    if (this.#taken > 1024) {
      this.#ahead = this.#ahead.slice(this.#taken);
      this.#taken = 0;
    }
    while (this.#ahead.length <= this.#taken + distance) {
      const result = this.source.next();
      if (result.done === true) return undefined;
      this.#ahead.push(result.value);
    }
    return this.#ahead[this.#taken + distance];
  }
}
