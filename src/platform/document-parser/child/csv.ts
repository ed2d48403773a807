import { parse, type Options } from 'csv-parse/sync';
import { decodeText } from './charset.js';
import { MarkdownText } from './markdown-text.js';
import type { ReaderInput } from './protocol.js';

/** The ones that texts and numbers have least often come first: of equals the first is taken. */
const DELIMITERS = ['\t', '|', ';', ','];
/** Characters that are enough to tell the delimiter. */
const SAMPLE = 64 * 1024;

/** One line per record. A file whose quotes do not match is read as if they meant nothing. */
export function readCsv({ bytes, maxTextChars }: ReaderInput): string {
  const source = decodeText(bytes);
  const delimiter = delimiterOf(source);
  try {
    return rows(source, { delimiter, relax_quotes: true }, maxTextChars);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'CSV_QUOTE_NOT_CLOSED')) throw error;
    return rows(source, { delimiter, quote: null }, maxTextChars);
  }
}

function rows(source: string, options: Options, maxChars: number): string {
  const text = new MarkdownText(maxChars);
  parse(source, {
    ...options,
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    on_record: (record: string[]) => {
      text.row(record);
      return null;
    },
  });
  return text.toString();
}

/** The one that cuts the most lines into the same number of cells; a comma when none does. */
export function delimiterOf(source: string): string {
  const unquoted = source.slice(0, SAMPLE).replaceAll(/"(?:[^"]|"")*"/g, '""');
  const lines = unquoted.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  // The last line of a sample may be cut off.
  if (source.length > SAMPLE && lines.length > 1) lines.pop();
  const scores = DELIMITERS.map((delimiter) => agreement(lines, delimiter));
  const best = Math.max(...scores);
  return best === 0 ? ',' : (DELIMITERS[scores.indexOf(best)] ?? ',');
}

/** How many lines have the number of delimiters that most lines have; 0 when that is none. */
function agreement(lines: readonly string[], delimiter: string): number {
  const counts = new Map<number, number>();
  for (const line of lines) {
    const count = line.split(delimiter).length - 1;
    if (count > 0) counts.set(count, (counts.get(count) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}
