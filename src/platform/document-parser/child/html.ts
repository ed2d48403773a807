import { Parser } from 'htmlparser2';
import { decodeText } from './charset.js';
import { MarkdownText } from './markdown-text.js';
import type { ReaderInput } from './protocol.js';

/** How far into a file browsers look for its charset, and then some. */
const DECLARATION = 4096;

export function readHtml({ bytes, maxTextChars }: ReaderInput): string {
  return htmlToText(decodeText(bytes, declaredCharset(bytes)), maxTextChars);
}

export function htmlToText(html: string, maxChars: number): string {
  const document = new HtmlText(maxChars);
  const parser = new Parser(
    {
      onopentag: (name, attributes) => document.open(name, attributes),
      onclosetag: (name) => document.close(name),
      ontext: (text) => document.text(text),
    },
    { recognizeSelfClosing: true },
  );
  parser.end(html);
  return document.end();
}

/** Of `<meta charset>`, `<meta http-equiv>` or the XML declaration. */
function declaredCharset(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, DECLARATION)).toString('latin1');
  const declared =
    /<meta\b[^>]*\bcharset\s*=\s*["']?\s*([\w:.-]+)/i.exec(head) ??
    /^\s*<\?xml\b[^>]*\bencoding\s*=\s*["']([\w:.-]+)["']/i.exec(head);
  return declared?.[1];
}

const DROPPED = new Set(
  'title script style nav template noscript svg iframe object canvas audio video select textarea'.split(' '),
);
const BLOCKS = new Set(
  (
    'address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form ' +
    'header hgroup hr html legend main p section summary table tbody tfoot thead caption ul ol li menu pre tr td th ' +
    'h1 h2 h3 h4 h5 h6'
  ).split(' '),
);
const LISTS = new Set(['ul', 'ol', 'menu']);
const CELLS = new Set(['td', 'th']);
/** Elements without an end tag. */
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
const MAX_COLSPAN = 100;

interface List {
  readonly ordered: boolean;
  count: number;
}

interface Row {
  readonly cells: string[];
  /** What has been written so far, and goes on after the cell. */
  readonly around: MarkdownText;
  span: number;
}

type Attributes = Readonly<Record<string, string>>;

/** Follows the tags of an HTML document and collects what a reader would see of it. */
class HtmlText {
  #out: MarkdownText;
  #inline = '';
  /** Elements open inside one that is not shown, itself included. */
  #hidden = 0;
  #pre = 0;
  #lists: List[] = [];
  /** Marker of the item that was just opened; empty once it is written. */
  #marker: string | undefined;
  readonly #rows: (Row | undefined)[] = [];
  #row: Row | undefined;

  constructor(private readonly maxChars: number) {
    this.#out = new MarkdownText(maxChars);
  }

  open(name: string, attributes: Attributes): void {
    if (this.#hidden > 0 || DROPPED.has(name) || isHidden(attributes)) {
      if (!VOID.has(name)) this.#hidden += 1;
      return;
    }
    if (name === 'br') this.#inline += '\n';
    if (BLOCKS.has(name)) this.#openBlock(name, attributes);
  }

  #openBlock(name: string, attributes: Attributes): void {
    this.#flush();
    if (name === 'pre') this.#pre += 1;
    if (LISTS.has(name)) this.#openList(name === 'ol', attributes['start']);
    if (name === 'li') this.#openItem();
    if (name === 'table') this.#openTable();
    if (name === 'tr') this.#openRow();
    if (CELLS.has(name)) this.#openCell(attributes['colspan']);
  }

  close(name: string): void {
    if (this.#hidden > 0) {
      if (!VOID.has(name)) this.#hidden -= 1;
      return;
    }
    if (BLOCKS.has(name)) this.#closeBlock(name);
  }

  #closeBlock(name: string): void {
    const level = /^h([1-6])$/.exec(name)?.[1];
    if (level === undefined) this.#flush();
    else this.#flushHeading(Number(level));
    if (name === 'pre') this.#pre = Math.max(0, this.#pre - 1);
    if (LISTS.has(name)) this.#closeList();
    if (name === 'li') this.#marker = undefined;
    if (CELLS.has(name)) this.#closeCell();
    if (name === 'tr') this.#closeRow();
    if (name === 'table') this.#closeTable();
  }

  text(text: string): void {
    if (this.#hidden > 0) return;
    this.#inline += this.#pre > 0 ? text : text.replaceAll(/[\t\n\f\r ]+/g, ' ');
  }

  end(): string {
    this.#flush();
    return this.#out.toString();
  }

  #flush(): void {
    const text = this.#inline;
    this.#inline = '';
    if (text.trim() === '') return;
    if (this.#marker !== undefined) {
      this.#out.item(this.#lists.length - 1, this.#marker, text);
      this.#marker = '';
    } else if (this.#pre > 0) this.#out.verbatim(text);
    else this.#out.paragraph(text);
  }

  #flushHeading(level: number): void {
    if (this.#row !== undefined || this.#marker !== undefined) return this.#flush();
    this.#out.heading(level, this.#inline);
    this.#inline = '';
  }

  #openList(ordered: boolean, start: string | undefined): void {
    if (this.#lists.length === 0) this.#out.separate();
    const first = Number.parseInt(start ?? '1', 10);
    this.#lists.push({ ordered, count: Number.isNaN(first) ? 0 : first - 1 });
    this.#marker = undefined;
  }

  #closeList(): void {
    this.#lists.pop();
    this.#marker = this.#lists.length === 0 ? undefined : '';
    if (this.#lists.length === 0) this.#out.separate();
  }

  #openItem(): void {
    const list = this.#lists.at(-1);
    if (list === undefined) return;
    list.count += 1;
    this.#marker = list.ordered ? `${list.count}.` : '-';
  }

  #openTable(): void {
    this.#out.separate();
    this.#rows.push(this.#row);
    this.#row = undefined;
  }

  #closeTable(): void {
    this.#closeRow();
    this.#row = this.#rows.pop();
    this.#out.separate();
  }

  #openRow(): void {
    if (this.#rows.length === 0) return;
    this.#closeRow();
    this.#row = { cells: [], around: this.#out, span: 1 };
  }

  #openCell(colspan: string | undefined): void {
    if (this.#rows.length === 0) return;
    if (this.#row === undefined) this.#openRow();
    this.#closeCell();
    if (this.#row !== undefined)
      this.#row.span = Math.min(Math.max(Number.parseInt(colspan ?? '1', 10) || 1, 1), MAX_COLSPAN);
    this.#out = new MarkdownText(this.maxChars);
  }

  #closeCell(): void {
    const row = this.#row;
    if (row === undefined || this.#out === row.around) return;
    row.cells.push(this.#out.toString(), ...new Array<string>(row.span - 1).fill(''));
    this.#out = row.around;
  }

  /** A row of one cell is a frame around what it holds, as in pages that are laid out with tables. */
  #closeRow(): void {
    const row = this.#row;
    if (row === undefined) return;
    this.#closeCell();
    this.#row = undefined;
    const [only] = row.cells;
    if (row.cells.length === 1 && only?.includes('\n') === true) this.#out.include(only);
    else this.#out.row(row.cells);
  }
}

function isHidden(attributes: Attributes): boolean {
  return (
    attributes['hidden'] !== undefined ||
    attributes['aria-hidden'] === 'true' ||
    /\b(display\s*:\s*none|visibility\s*:\s*hidden)\b/i.test(attributes['style'] ?? '')
  );
}
