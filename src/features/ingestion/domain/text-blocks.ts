import { TextCursor, type TextSpan } from './text-cursor.js';

/** What a reader sees as one unit: a heading, a fenced block of code, or a paragraph, list or table without blank lines. */
export interface Block extends TextSpan {
  readonly kind: 'heading' | 'code' | 'prose';
  /** Of a heading, 1 (highest) to 6; 0 for anything else. */
  readonly level: number;
  /** Of a heading, on one line, at most `LONGEST_TITLE` code points; else empty. */
  readonly title: string;
  /** Whether it is the first one after a form feed. */
  readonly startsPage: boolean;
}

export const LONGEST_TITLE = 300;

type RawBlock = Pick<Block, 'kind' | 'level' | 'title' | 'start' | 'end'>;

interface Line {
  readonly start: number;
  /** Without its newline. */
  readonly end: number;
  /** Trimmed. */
  readonly body: string;
  /** Markdown reads no heading or fence in a line that is indented further than three columns. */
  readonly flush: boolean;
}

const ATX = /^(#{1,6})(?=[ \t]|$)/;
const SETEXT = /^(?:={2,}|-{2,})$/;
const FENCE = /^(?:`{3,}(?=[^`]*$)|~{3,})/;
/** A line of dashes below one of these is a ruler or a table, not the underline of a heading. */
const NEVER_A_HEADING = /^(?:[-*+>|]|\d{1,9}[.)]\s)/;

/**
 * The blocks of a text in order, read as Markdown as far as headings (`#` and underlined) and code fences go. A form
 * feed ends a block. Reads on demand, in linear time; every character that is not white space is in exactly one block.
 */
export function* readBlocks(text: string): Generator<Block> {
  const cursor = new TextCursor(text);
  let startsPage = false;
  for (let from = 0; from <= text.length;) {
    const formFeed = text.indexOf('\f', from);
    const to = formFeed === -1 ? text.length : formFeed;
    for (const raw of pageBlocks(text, from, to)) {
      const span = cursor.span(raw.start, raw.end);
      if (span === undefined) continue;
      // Named one by one: a text may have millions of blocks, and a spread is ten times as slow.
      const { start, end, startPoint, endPoint } = span;
      yield { kind: raw.kind, level: raw.level, title: raw.title, startsPage, start, end, startPoint, endPoint };
      startsPage = false;
    }
    startsPage = true;
    from = to + 1;
  }
}

function* pageBlocks(text: string, from: number, to: number): Generator<RawBlock> {
  const closings = new FenceClosings(text, to);
  let open: { readonly start: number; end: number; lines: number; readonly first: string } | undefined;
  for (let at = from; at < to;) {
    const line = readLine(text, at, to);
    at = line.end + 1;
    if (isUnderline(line, open)) {
      yield heading(SETEXT_LEVEL[line.body.charAt(0)] ?? 2, open?.first ?? '', open?.start ?? line.start, line.end);
      open = undefined;
      continue;
    }
    const own = ownBlock(line, closings);
    if (line.body !== '' && own === undefined) {
      open ??= { start: line.start, end: line.end, lines: 0, first: line.body };
      open.end = line.end;
      open.lines += 1;
      continue;
    }
    if (open !== undefined) yield { kind: 'prose', level: 0, title: '', start: open.start, end: open.end };
    open = undefined;
    if (own === undefined) continue;
    yield own;
    at = own.end + 1;
  }
  if (open !== undefined) yield { kind: 'prose', level: 0, title: '', start: open.start, end: open.end };
}

const SETEXT_LEVEL: Readonly<Record<string, number>> = { '=': 1, '-': 2 };

function isUnderline(line: Line, above: { readonly lines: number; readonly first: string } | undefined): boolean {
  return above?.lines === 1 && line.flush && SETEXT.test(line.body) && !NEVER_A_HEADING.test(above.first);
}

/** The heading or the block of code that the line begins; undefined when it is a blank line or part of a paragraph. */
function ownBlock(line: Line, closings: FenceClosings): RawBlock | undefined {
  if (!line.flush) return undefined;
  const hashes = ATX.exec(line.body)?.[1];
  if (hashes !== undefined) return heading(hashes.length, line.body.slice(hashes.length), line.start, line.end);
  const fence = FENCE.exec(line.body)?.[0];
  const end = fence === undefined ? undefined : closings.after(line.end, fence);
  return end === undefined ? undefined : { kind: 'code', level: 0, title: '', start: line.start, end };
}

function heading(level: number, raw: string, start: number, end: number): RawBlock {
  const short = raw.trim().slice(0, 4 * LONGEST_TITLE);
  const plain = short
    .replace(/(?<![^ \t])#+$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return { kind: 'heading', level, title: Array.from(plain).slice(0, LONGEST_TITLE).join(''), start, end };
}

function readLine(text: string, at: number, to: number): Line {
  const rest = text.slice(at, to);
  const newline = rest.indexOf('\n');
  const raw = newline === -1 ? rest : rest.slice(0, newline);
  return { start: at, end: at + raw.length, body: raw.trim(), flush: /^ {0,3}\S/.test(raw) };
}

/** From here on all fences count as equally long. Bounds the number of searches that find nothing. */
const LONGEST_FENCE = 8;

/**
 * Finds where blocks of code end on one page. A fence that is never closed begins none: in text that is not Markdown
 * it would swallow every heading below it.
 */
class FenceClosings {
  /** Fences known to have no closing line after the latest search. */
  readonly #unclosed = new Set<string>();

  constructor(
    private readonly text: string,
    private readonly pageEnd: number,
  ) {}

  /** End of the first line after `from` that closes the fence. */
  after(from: number, fence: string): number | undefined {
    const mark = fence.slice(0, LONGEST_FENCE);
    if (this.#unclosed.has(mark)) return undefined;
    const closing = new RegExp(`^ {0,3}${mark}${mark.charAt(0)}*[ \\t]*$`, 'm');
    const rest = this.text.slice(from, this.pageEnd);
    const found = closing.exec(rest);
    if (found !== null) return from + found.index + found[0].length;
    this.#unclosed.add(mark);
    return undefined;
  }
}
