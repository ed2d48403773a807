import { printable } from '../view.js';
import { sortedJson } from './sorted-json.js';

export type Row = Readonly<Record<string, unknown>>;

/** Labels in their order, each with the path of the field that stands below it, such as `config.region`. */
export type Columns = Readonly<Record<string, string | ((row: Row) => unknown)>>;

/** Writes rows as they come, below one header. A column is as wide as the first rows need. */
export class Table {
  #widths: readonly number[] | undefined;

  constructor(private readonly columns: Columns) {}

  lines(rows: readonly Row[]): string[] {
    const cells = rows.map((row) =>
      Object.values(this.columns).map((column) => cell(typeof column === 'string' ? at(row, column) : column(row))),
    );
    if (this.#widths !== undefined) return cells.map((texts) => this.#line(texts));
    const labels = Object.keys(this.columns);
    this.#widths = labels.map((label, index) =>
      Math.max(...[label, ...cells.map((texts) => texts[index] ?? '')].map(length)),
    );
    return [labels, this.#widths.map((width) => '-'.repeat(width)), ...cells].map((texts) => this.#line(texts));
  }

  #line(texts: readonly string[]): string {
    return texts
      .map((text, index) => text + ' '.repeat(Math.max(0, (this.#widths?.[index] ?? 0) - length(text))))
      .join(' ')
      .trimEnd();
  }
}

export function rowsOf(data: unknown): Row[] {
  return (Array.isArray(data) ? data : [data]).map((row: unknown) =>
    typeof row === 'object' && row !== null ? (row as Row) : {},
  );
}

function at(row: Row, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Row | null | undefined)?.[key], row);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.map(cell).join(', ');
  return printable(typeof value === 'string' ? value : sortedJson(value));
}

function length(text: string): number {
  return [...text].length;
}
