import { Unreadable } from './unreadable.js';

type Kind = 'heading' | 'paragraph' | 'item' | 'row';

/** Consecutive ones stand on consecutive lines; everything else is separated by an empty line. */
const DENSE: readonly Kind[] = ['item', 'row'];

/** Collects the text of a file as light Markdown; see `DocumentParser`. */
export class MarkdownText {
  readonly #parts: string[] = [];
  #length = 0;
  /** Of the last block on this page. */
  #last: Kind | undefined;

  constructor(private readonly maxChars: number) {}

  /** @param level 1 for the topmost; 6 at most. */
  heading(level: number, text: string): void {
    this.#add('heading', oneLine(text), `${'#'.repeat(Math.min(Math.max(level, 1), 6))} `);
  }

  /** Line breaks in the text are kept. */
  paragraph(text: string): void {
    this.#add('paragraph', lines(text));
  }

  /** @param depth 0 for the outermost list. @param marker empty for what continues an item. */
  item(depth: number, marker: string, text: string): void {
    const indent = '  '.repeat(Math.min(depth, 10));
    const lead = marker === '' ? `${indent}  ` : `${indent}${marker} `;
    this.#add('item', lines(text).replaceAll(/\n+/g, `\n${indent}  `), lead);
  }

  /** Cells after the last one with text are left out, and so is a row without text. */
  row(cells: readonly string[]): void {
    const texts = cells.map(oneLine);
    const width = texts.findLastIndex((text) => text !== '') + 1;
    if (width > 0) this.#add('row', texts.slice(0, width).join(' | '));
  }

  /** As it is, but for the characters that have a meaning of their own. */
  verbatim(text: string): void {
    const kept = printable(text)
      .replaceAll(/[\f\v]/g, ' ')
      .replaceAll(/^(?:[^\S\n]*\n)+|\s+$/g, '');
    this.#add('paragraph', kept);
  }

  /** What another one collected. */
  include(text: string): void {
    this.#add('paragraph', text);
  }

  /** What follows is no continuation of the list or table before. */
  separate(): void {
    if (this.#last !== undefined) this.#last = 'paragraph';
  }

  /** Ends a page. */
  page(): void {
    this.#push('\n\n\f');
    this.#last = undefined;
  }

  toString(): string {
    return this.#parts.join('');
  }

  #add(kind: Kind, text: string, lead = ''): void {
    if (text === '') return;
    if (this.#last !== undefined) this.#push(this.#last === kind && DENSE.includes(kind) ? '\n' : '\n\n');
    this.#push(lead + text);
    this.#last = kind;
  }

  #push(part: string): void {
    this.#length += part.length;
    if (this.#length > this.maxChars) throw new Unreadable('text');
    this.#parts.push(part);
  }
}

/** Without control characters other than white space. LF is the only line break. */
export function printable(text: string): string {
  return text.replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n').replaceAll(/[\0-\x08\x0e-\x1f\x7f\ufeff]/g, '');
}

/** One line, runs of white space as one space. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim();
}

/** Runs of white space within lines as one space, at most one empty line in a row. */
function lines(text: string): string {
  return printable(text)
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}
