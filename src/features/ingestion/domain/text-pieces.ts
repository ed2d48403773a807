import type { Block } from './text-blocks.js';
import { TextCursor, type TextSpan } from './text-cursor.js';

/** How good a place for a cut is; the higher the better. */
export const CUT = {
  /** Behind a heading, or within a character. */
  worst: 0,
  grapheme: 1,
  word: 2,
  /** White space, or a comma of scripts without it. */
  pause: 3,
  sentence: 4,
  line: 5,
  paragraph: 6,
  heading: 7,
  page: 8,
} as const;

export type Cut = (typeof CUT)[keyof typeof CUT];

/** A part of a block that is not cut any further. */
export interface Piece extends TextSpan {
  /** The place before it. */
  readonly cut: Cut;
}

/** Named one by one: there may be millions, and a spread is ten times as slow. */
function pieceOf({ start, end, startPoint, endPoint }: TextSpan, cut: Cut): Piece {
  return { start, end, startPoint, endPoint, cut };
}

export interface PieceSizes {
  /** Hard limit, in code points. */
  readonly most: number;
  /** About how long pieces are made that have no sentence end inside; the smaller, the finer the choice of cuts. */
  readonly aim: number;
}

/**
 * The block in pieces: whole lines where the newlines mean something (rows, items), else sentences, else stretches
 * that end with a word, else with a grapheme. The `cut` of the first is `line`, for the caller to replace.
 * Linear time; on demand, because a block may be megabytes long.
 */
export function* piecesOfBlock(text: string, block: Block, sizes: PieceSizes): Generator<Piece> {
  const cursor = new TextCursor(text, block.start, block.startPoint);
  for (const line of logicalLines(text, block)) {
    const whole = line.solid ? sizes.most : sizes.aim;
    let cut: Cut = CUT.line;
    const sentences = fits(cursor, line, whole) ? [line] : sentencesOf(text, line.start, line.end);
    for (const sentence of sentences) {
      for (const piece of stretchesOf(text, cursor, sentence, sizes)) {
        yield pieceOf(piece, piece.cut > cut ? piece.cut : cut);
        cut = CUT.worst;
      }
      cut = CUT.sentence;
    }
  }
}

/** A sentence in stretches of about `aim` code points, the finer way of cutting that an overlap needs. */
export function* stretchesOfSpan(text: string, span: TextSpan, sizes: PieceSizes): Generator<Piece> {
  yield* cutStretches(text, new TextCursor(text, span.start, span.startPoint), span.end, sizes);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Whether the range has at most `most` code points. */
function fits(cursor: TextCursor, range: Range, most: number): boolean {
  if (range.end - range.start <= most) return true;
  if (range.end - range.start > 2 * most) return false;
  const probe = cursor.copy();
  probe.advance(Infinity, range.start);
  const from = probe.points;
  probe.advance(Infinity, range.end);
  return probe.points - from <= most;
}

function* stretchesOf(text: string, cursor: TextCursor, range: Range, sizes: PieceSizes): Generator<Piece> {
  cursor.advance(Infinity, range.start);
  if (!fits(cursor, range, sizes.most)) {
    yield* cutStretches(text, cursor, range.end, sizes);
    return;
  }
  const span = cursor.span(range.start, range.end);
  if (span !== undefined) yield pieceOf(span, CUT.worst);
}

/** List items, table rows and quotations stand on lines of their own. */
const OWN_LINE = /^(?:[-*+•–—>|#]|\d{1,3}[.)]\s|\p{N}{1,3}[、．])/u;
const DENSE_SCRIPT = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;
const ENDS_SENTENCE = /\p{Sentence_Terminal}["'”’»)\]」』）]*$/u;

/** Below these lengths, in UTF-16 units, a line of running text was not broken for lack of room. */
const WRAPPED = 60;
const WRAPPED_DENSE = 25;

interface LogicalLine extends Range {
  /** Better not cut, though it may hold several sentences. */
  readonly solid: boolean;
}

/** The lines of a block; those of running text that were only wrapped are one. */
function* logicalLines(text: string, { kind, start: from, end }: Block): Generator<LogicalLine> {
  let start = from;
  for (let line = lineFrom(text, from, end); ;) {
    const next = line.end < end ? lineFrom(text, line.end + 1, end) : undefined;
    if (next === undefined || kind === 'code' || !isWrapped(line.body, next.body)) {
      yield { start, end: line.end, solid: kind === 'code' || isRow(line.body) };
      start = line.end + 1;
    }
    if (next === undefined) return;
    line = next;
  }
}

function lineFrom(text: string, start: number, limit: number): Range & { readonly body: string } {
  const rest = text.slice(start, limit);
  const newline = rest.indexOf('\n');
  const raw = newline === -1 ? rest : rest.slice(0, newline);
  return { start, end: start + raw.length, body: raw.trim() };
}

function isRow(line: string): boolean {
  return line.includes('|') || line.includes('\t');
}

function isWrapped(line: string, next: string): boolean {
  if (isRow(line) || isRow(next) || OWN_LINE.test(next)) return false;
  if (/^\p{Ll}/u.test(next)) return true;
  if (ENDS_SENTENCE.test(line.slice(-8))) return false;
  const dense = DENSE_SCRIPT.test(next);
  return line.length >= (dense ? WRAPPED_DENSE : WRAPPED) && /^[\p{L}\p{M}"“‘«(（「『]/u.test(next);
}

const SENTENCES = new Intl.Segmenter('und', { granularity: 'sentence' });
const WORDS = new Intl.Segmenter('und', { granularity: 'word' });
const GRAPHEMES = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** In UTF-16 units. The segmenter needs time in proportion to the length of its text for every single segment. */
const WINDOW = 1024;
/** What the segmenter is shown beyond the last boundary it is asked for; the text behind one decides on it. */
const CONTEXT = 64;

/** Sentences by the rules of Unicode, which know the marks of all scripts. */
function* sentencesOf(text: string, from: number, to: number): Generator<Range> {
  let start = from;
  for (let seen = from; seen < to;) {
    for (const end of sentenceEnds(text, seen, to, WINDOW)) {
      seen = end;
      if (end < to && splitsGrapheme(text, end)) continue;
      yield { start, end };
      start = end;
    }
  }
}

/** Whether the place is within a grapheme. The ends of words and sentences are not always outside of rarer ones. */
function splitsGrapheme(text: string, at: number): boolean {
  if (text.charCodeAt(at - 1) < FIRST_MARK && text.charCodeAt(at) < FIRST_MARK) return false;
  const from = Math.max(0, at - CONTEXT / 4);
  const around = GRAPHEMES.segment(text.slice(from, at + CONTEXT / 4));
  return (around.containing(at - from)?.index ?? at - from) !== at - from;
}

/** Below it every character is a grapheme. */
const FIRST_MARK = 0x300;

/** Ends of sentences that can be told from one window; of a longer one, that end alone. At least one. */
function sentenceEnds(text: string, from: number, to: number, window: number): number[] {
  const shown = unwrapped(text.slice(from, Math.min(to, from + window)));
  const complete = from + shown.length === to;
  const reliable = complete ? shown.length : shown.length - CONTEXT;
  const segments = SENTENCES.segment(shown);
  const first = from + (segments.containing(0)?.segment.length ?? shown.length);
  if (first - from > reliable) return sentenceEnds(text, from, to, 2 * window);
  if (window > WINDOW) return [first];
  return Array.from(segments, ({ index, segment }) => from + index + segment.length).filter(
    (end) => end - from <= reliable,
  );
}

/** A newline always ends a sentence for the segmenter. */
function unwrapped(line: string): string {
  return line.includes('\n') ? line.replaceAll('\n', ' ') : line;
}

/** Pieces of what has no sentence end inside; from the cursor to `end`. */
function* cutStretches(text: string, cursor: TextCursor, end: number, sizes: PieceSizes): Generator<Piece> {
  /** No word ends before this place. */
  let unbroken = cursor.units;
  /** Of the grapheme that the latest cut went through; the segmenter cannot tell from the middle of one. */
  let graphemeEnd = cursor.units;
  let cut: Cut = CUT.worst;
  for (let from = cursor.units; from < end;) {
    const reach = { from, aim: unitsAfter(cursor, sizes.aim, end), most: unitsAfter(cursor, sizes.most, end), end };
    const next = from < graphemeEnd ? throughGrapheme(reach, graphemeEnd) : nextCut(text, reach, unbroken);
    if (next.cut < CUT.word && reach.aim > unbroken) unbroken = reach.most;
    if (next.cut === CUT.worst && from >= graphemeEnd) graphemeEnd = endOfGrapheme(text, from, end);
    const span = cursor.span(from, next.at);
    cursor.advance(Infinity, next.at);
    if (span !== undefined) yield pieceOf(span, cut);
    cut = next.cut;
    from = next.at;
  }
}

interface Place {
  readonly at: number;
  readonly cut: Cut;
}

function throughGrapheme({ most }: Reach, graphemeEnd: number): Place {
  return most < graphemeEnd ? { at: most, cut: CUT.worst } : { at: graphemeEnd, cut: CUT.grapheme };
}

function endOfGrapheme(text: string, from: number, end: number, window = CONTEXT): number {
  const shown = text.slice(from, Math.min(end, from + window));
  const first = GRAPHEMES.segment(shown).containing(0)?.segment.length ?? shown.length;
  return first < shown.length || from + first >= end ? from + first : endOfGrapheme(text, from, end, 2 * window);
}

interface Reach {
  readonly from: number;
  /** Wanted end of the piece. */
  readonly aim: number;
  /** Last place that the piece may end at. */
  readonly most: number;
  /** Of the whole stretch. */
  readonly end: number;
}

/** The last pause, else end of a word, up to the aim; else the first end of a word in reach; else of a grapheme. */
function nextCut(text: string, reach: Reach, unbroken: number): Place {
  if (reach.aim >= reach.end) return { at: reach.end, cut: CUT.sentence };
  if (reach.aim > unbroken) {
    const pause = lastPause(text, reach);
    if (pause !== undefined) return { at: pause, cut: CUT.pause };
    const word = boundary(WORDS, text, reach);
    if (word !== undefined && !splitsGrapheme(text, word))
      return { at: word, cut: isPause(text, word) ? CUT.pause : CUT.word };
  }
  const grapheme = boundary(GRAPHEMES, text, reach);
  return grapheme === undefined ? { at: reach.most, cut: CUT.worst } : { at: grapheme, cut: CUT.grapheme };
}

function unitsAfter(cursor: TextCursor, points: number, limit: number): number {
  const probe = cursor.copy();
  probe.advance(points, limit);
  return probe.units;
}

/** Behind these a sentence is better cut than between other words. White space, and commas of scripts without it. */
const PAUSE = /[\s，、；：]/;

function lastPause(text: string, { from, aim }: Reach): number | undefined {
  for (let at = aim; at > from + 1; at -= 1) {
    if (PAUSE.test(text.charAt(at - 1)) && !PAUSE.test(text.charAt(at)) && !splitsGrapheme(text, at)) return at;
  }
  return undefined;
}

function isPause(text: string, at: number): boolean {
  return PAUSE.test(text.charAt(at - 1)) || /\s/.test(text.charAt(at));
}

/** The last boundary up to `aim`; else the first one up to `most`. */
function boundary(segmenter: Intl.Segmenter, text: string, { from, aim, most, end }: Reach): number | undefined {
  const near = segmenter.segment(text.slice(from, Math.min(end, aim + CONTEXT))).containing(aim - from)?.index ?? 0;
  if (near > 0) return from + near;
  const far = text.slice(from, Math.min(end, most + CONTEXT));
  const first = segmenter.segment(far).containing(0)?.segment.length ?? far.length;
  return from + first <= most ? from + first : undefined;
}
