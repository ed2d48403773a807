import { MarkdownText } from './markdown-text.js';
import type { Line } from './pdf-lines.js';

/** How much larger than the text of the document a heading of each level is. */
const HEADING_SCALES = [1.7, 1.35, 1.15];
const MAX_HEADING_CHARS = 200;
/** Baselines further apart than this many font sizes begin a paragraph, unless the page is set wider. */
const PARAGRAPH_GAP = 1.6;
/** Pairs of lines from which a page's usual distance can be told. */
const ENOUGH_PAIRS = 6;
/** A line that fills less of its column was ended on purpose. */
const FULL_LINE = 0.8;
/** Font sizes. What is narrower is a list or a table rather than a column of text. */
const MIN_COLUMN = 12;

/** Paragraphs and headings of the pages, by the sizes and distances of their lines. */
export function pagesToText(pages: readonly (readonly Line[])[], maxChars: number): string {
  const text = new MarkdownText(maxChars);
  const bodySize = commonest(pages.flat().map(({ size, text: { length } }) => [size, length]));
  for (const [position, lines] of pages.entries()) {
    if (position > 0) text.page();
    for (const block of blocksOf(lines)) writeBlock(block, bodySize, lines, text);
  }
  return text.toString();
}

/** Lines that stand together: below each other, at the usual distance, in one size. */
function blocksOf(lines: readonly Line[]): Line[][] {
  const distances = pairs(lines).map(([above, below]) => [(above.y - below.y) / above.size, 1] as const);
  const usual = distances.length < ENOUGH_PAIRS ? 0 : Math.min(commonest(distances), 2.5);
  // Text that is set with wide distances throughout is no sequence of one-line paragraphs.
  const gap = Math.max(PARAGRAPH_GAP, usual * 1.2);
  const blocks: Line[][] = [];
  let last: Line | undefined;
  for (const line of lines) {
    const together =
      last !== undefined &&
      last.y - line.y > 0 &&
      last.y - line.y <= gap * Math.max(last.size, line.size) &&
      Math.abs(last.size - line.size) <= 0.1 * last.size;
    if (together) blocks.at(-1)?.push(line);
    else blocks.push([line]);
    last = line;
  }
  return blocks;
}

function writeBlock(block: readonly Line[], bodySize: number, page: readonly Line[], out: MarkdownText): void {
  const [first] = block;
  if (first === undefined) return;
  const text = join(block, page);
  const level = HEADING_SCALES.findIndex((scale) => first.size >= scale * bodySize) + 1;
  if (level > 0 && text.length <= MAX_HEADING_CHARS) out.heading(level, text);
  else out.paragraph(text);
}

/** Lines that were wrapped are one again; those that were ended on purpose stay lines. */
function join(block: readonly Line[], page: readonly Line[]): string {
  const widths = columnWidths(page);
  let text = '';
  let last: Line | undefined;
  for (const line of block) {
    const bullet = /^[•▪◦‣∙●○■–]\s+/u.exec(line.text);
    const content = bullet === null ? line.text : `- ${line.text.slice(bullet[0].length)}`;
    if (last === undefined) text = content;
    else if (bullet !== null || !wraps(last, line, widths)) text += `\n${content}`;
    else text = continued(text, content);
    last = line;
  }
  return text;
}

function wraps(line: Line, next: Line, widths: ReadonlyMap<string, number>): boolean {
  if (line.tabular || next.tabular) return false;
  const width = line.right - line.left;
  return width >= MIN_COLUMN * line.size && width >= FULL_LINE * (widths.get(columnOf(line)) ?? 0);
}

/** A word that was divided is whole again, and Chinese and Japanese have no spaces between words. */
function continued(text: string, next: string): string {
  if (/\p{Ll}[-\u00ad]$/u.test(text) && /^\p{Ll}/u.test(next)) return text.slice(0, -1) + next;
  const cjk = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\u3000-\u303f\uff00-\uffef]/u;
  return cjk.test(text.slice(-1)) && cjk.test(next.slice(0, 1)) ? text + next : `${text} ${next}`;
}

/** Of the widest line that begins at the same edge, by edge. */
function columnWidths(page: readonly Line[]): Map<string, number> {
  const widths = new Map<string, number>();
  for (const line of page) {
    const column = columnOf(line);
    widths.set(column, Math.max(widths.get(column) ?? 0, line.right - line.left));
  }
  return widths;
}

function columnOf({ rightToLeft, left, right, size }: Line): string {
  const edge = Math.round((rightToLeft ? right : left) / (2 * Math.max(size, 1)));
  return `${rightToLeft ? 'right' : 'left'} ${edge}`;
}

function pairs(lines: readonly Line[]): [Line, Line][] {
  return lines.slice(1).flatMap((below, index) => {
    const above = lines[index];
    return above === undefined || above.y <= below.y ? [] : [[above, below]];
  });
}

/** The value with the greatest weight, to one decimal; 0 when there is none. */
function commonest(weighted: readonly (readonly [value: number, weight: number])[]): number {
  const weights = new Map<number, number>();
  for (const [value, weight] of weighted) {
    const rounded = Math.round(value * 10) / 10;
    weights.set(rounded, (weights.get(rounded) ?? 0) + weight);
  }
  let best = 0;
  let most = 0;
  for (const [value, weight] of weights) {
    if (weight <= most) continue;
    best = value;
    most = weight;
  }
  return best;
}
