import type { TextContent, TextItem } from 'pdfjs-dist/types/src/display/api.js';

/** One line of a page, in points. */
export interface Line {
  /** Cells of a table are separated by ` | `. */
  readonly text: string;
  readonly left: number;
  readonly right: number;
  /** Of the baseline, from the bottom of the page. */
  readonly y: number;
  /** Of the largest font. */
  readonly size: number;
  readonly rightToLeft: boolean;
  readonly tabular: boolean;
}

/** A gap within a line that is wider than this many times the font size separates columns. */
const COLUMN_GAP = 1.5;

/** The lines of a page in the order of the file, blank ones left out. */
export function linesOf(items: TextContent['items']): Line[] {
  const lines: Line[] = [];
  let open: TextItem[] = [];
  const close = (): void => {
    const line = lineOf(open);
    if (line !== undefined) lines.push(line);
    open = [];
  };
  for (const item of items) {
    if (!('str' in item)) continue;
    open.push(item);
    if (item.hasEOL) close();
  }
  close();
  return lines;
}

function lineOf(items: readonly TextItem[]): Line | undefined {
  const written = items.filter(({ str }) => str.trim() !== '');
  const [first] = written;
  if (first === undefined) return undefined;
  const size = largest(written, sizeOf);
  const isColumnGap = ({ str, width }: TextItem): boolean => str.trim() === '' && width > COLUMN_GAP * size;
  const start = items.indexOf(first);
  const end = items.lastIndexOf(written.at(-1) ?? first) + 1;
  const inner = items.slice(start, end);
  return {
    text: inner.map((item) => (isColumnGap(item) ? ' | ' : item.str)).join(''),
    left: -largest(written, (item) => -leftOf(item)),
    right: largest(written, (item) => leftOf(item) + item.width),
    y: Number(first.transform[5]),
    size,
    rightToLeft: written.every(({ dir }) => dir === 'rtl'),
    tabular: inner.some(isColumnGap),
  };
}

function leftOf({ transform }: TextItem): number {
  return Number(transform[4]);
}

function sizeOf({ transform }: TextItem): number {
  return Math.hypot(Number(transform[2]), Number(transform[3]));
}

/** A line can have more items than a call can have arguments. */
function largest(items: readonly TextItem[], measure: (item: TextItem) => number): number {
  return items.reduce((most, item) => Math.max(most, measure(item)), -Infinity);
}
