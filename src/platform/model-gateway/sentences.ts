const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** A stretch of a passage that can be quoted on its own. */
export interface Sentence {
  /** Verbatim part of the passage, trimmed. Contains nothing that reads as a citation marker. */
  readonly text: string;
  /** The heading above it, when the sentence does not include it; says what the sentence is about. */
  readonly heading: string | undefined;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** A longer stretch without an end of sentence, such as a table, is cut at a space before this many UTF-16 units. */
const LONGEST = 600;
const LONGEST_HEADING = 80;
/** Below this a line of running text was not broken for lack of room. */
const WRAPPED_LINE = 60;
const LIST_ITEM = /^\s*(?:[-*+•–]|\d{1,2}[.)])\s/u;
const MARKER = /\[\d+(?:\s*[,;–-]\s*\d+)*\]/gu;

/**
 * Splits a passage into quotable sentences, in order, by Unicode rules rather than those of one language.
 *
 * Lines that were only wrapped are joined, a sentence that announces a list keeps its items, and a heading stays
 * with the sentence below it. The passage's own `[3]` is cut out: quoted, it would read as a citation.
 */
export function quotableSentences(passage: string): Sentence[] {
  const spans = joinHeadings(passage, joinLists(passage, sentenceSpans(passage)));
  const sentences: Sentence[] = [];
  let heading: string | undefined;
  for (const span of spans) {
    if (span.heading !== undefined) heading = span.heading;
    for (const text of pieces(passage.slice(span.start, span.end))) {
      sentences.push({ text, heading: span.heading === undefined ? heading : undefined });
    }
  }
  return sentences;
}

function sentenceSpans(passage: string): Span[] {
  return [...segmenter.segment(unwrapped(passage))]
    .map(({ index, segment }) => ({ start: index, end: index + segment.trimEnd().length }))
    .filter(({ start, end }) => end > start);
}

/** The passage with the newlines inside wrapped sentences made blanks, so that every offset stays the same. */
function unwrapped(passage: string): string {
  const lines = passage.split('\n');
  let text = lines[0] ?? '';
  for (const [position, next] of lines.slice(1).entries()) {
    text += (isWrapped(lines[position] ?? '', next) ? ' ' : '\n') + next;
  }
  return text;
}

function isWrapped(line: string, next: string): boolean {
  if (line.trim() === '' || line.startsWith('#') || LIST_ITEM.test(next)) return false;
  return /^\s*\p{Ll}/u.test(next) || (line.length >= WRAPPED_LINE && /^\s*[\p{L}\p{N}]/u.test(next));
}

function joinLists(passage: string, spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  let listing = false;
  for (const span of spans) {
    const last = joined.at(-1);
    const startsLine = span.start === 0 || passage[span.start - 1] === '\n';
    const item = startsLine && LIST_ITEM.test(passage.slice(span.start, span.end + 1));
    if (last !== undefined && startsLine) listing = item && (listing || ':：'.includes(passage.charAt(last.end - 1)));
    if (last !== undefined && listing && span.end - last.start <= LONGEST) {
      joined[joined.length - 1] = { start: last.start, end: span.end };
    } else {
      listing = false;
      joined.push(span);
    }
  }
  return joined;
}

function joinHeadings(passage: string, spans: readonly Span[]): (Span & { readonly heading?: string })[] {
  const joined: (Span & { readonly heading?: string })[] = [];
  let open: { start: number; heading: string } | undefined;
  for (const [position, span] of spans.entries()) {
    const text = passage.slice(span.start, span.end);
    const next = spans[position + 1];
    if (next !== undefined && isHeading(text, passage.slice(next.start, next.end))) {
      open ??= { start: span.start, heading: text };
      continue;
    }
    joined.push(open === undefined ? span : { start: open.start, end: span.end, heading: open.heading });
    open = undefined;
  }
  return joined;
}

function isHeading(text: string, next: string): boolean {
  if (text.length > LONGEST_HEADING || text.includes('\n') || LIST_ITEM.test(text)) return false;
  if (text.startsWith('#')) return true;
  return !/[\p{Sentence_Terminal}:,;]["'”’)\]]*$/u.test(text) && /[\p{Sentence_Terminal}:]["'”’)\]]*$/u.test(next);
}

function pieces(text: string): string[] {
  return text
    .split(MARKER)
    .flatMap(cutLong)
    .map((piece) => piece.replace(/^(?:\s|[-*+•–>#]+\s|\d{1,2}[.)]\s)+/u, '').trim())
    .filter((piece) => /[\p{L}\p{N}]/u.test(piece));
}

function cutLong(text: string): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > LONGEST) {
    const space = rest.slice(0, LONGEST).search(/\s\S*$/u);
    const insideCharacter = /[\uD800-\uDBFF]$/.test(rest.slice(0, LONGEST));
    const cut = space > 0 ? space : LONGEST - (insideCharacter ? 1 : 0);
    parts.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  return [...parts, rest];
}
