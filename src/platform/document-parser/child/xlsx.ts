import { CellFormats, cellText } from './xlsx-cells.js';
import { MarkdownText } from './markdown-text.js';
import { OfficeArchive, relationId } from './office-archive.js';
import type { ReaderInput } from './protocol.js';

const EXCEL = /spreadsheetml\.(sheet|template)\.main|ms-excel\.(sheet|template)\.macroEnabled/;

interface Workbook {
  readonly sheets: readonly { readonly name: string; readonly part: string }[];
  readonly strings: readonly string[];
  readonly formats: CellFormats;
}

/** A heading and the rows of every sheet with text, in the order of the tabs. Formulas count as their last result. */
export async function readXlsx(input: ReaderInput): Promise<string> {
  const archive = await OfficeArchive.open(input, EXCEL);
  const workbook = await openWorkbook(archive);
  const text = new MarkdownText(input.maxTextChars);
  for (const { name, part } of workbook.sheets) await readSheet(archive, workbook, part, name, text);
  return text.toString();
}

async function openWorkbook(archive: OfficeArchive): Promise<Workbook> {
  const main = await archive.mainPart();
  const relations = await archive.relationsOf(main);
  const sheets: { name: string; part: string }[] = [];
  let since1904 = false;
  await archive.readXml(main, {
    open: (name, attributes) => {
      if (name === 'workbookPr') since1904 = ['1', 'true'].includes(attributes['date1904'] ?? '');
      const target = name === 'sheet' ? relations.get(relationId(attributes)) : undefined;
      if (target?.type === 'worksheet') sheets.push({ name: attributes['name'] ?? '', part: target.part });
    },
  });
  const partOf = (wanted: string): string | undefined =>
    [...relations.values()].find(({ type, part }) => type === wanted && archive.has(part))?.part;
  return {
    sheets,
    strings: await sharedStrings(archive, partOf('sharedStrings')),
    formats: await cellFormats(archive, partOf('styles'), since1904),
  };
}

async function sharedStrings(archive: OfficeArchive, part: string | undefined): Promise<string[]> {
  const strings: string[] = [];
  if (part === undefined) return strings;
  let current = '';
  let inText = false;
  /** How Japanese is pronounced, written above it. */
  let phonetic = false;
  await archive.readXml(part, {
    open: (name) => {
      if (name === 'si') current = '';
      if (name === 'rPh') phonetic = true;
      if (name === 't') inText = !phonetic;
    },
    text: (text) => {
      if (inText) current += text;
    },
    close: (name) => {
      if (name === 't') inText = false;
      if (name === 'rPh') phonetic = false;
      if (name === 'si') strings.push(current);
    },
  });
  return strings;
}

async function cellFormats(archive: OfficeArchive, part: string | undefined, since1904: boolean): Promise<CellFormats> {
  const codes = new Map<number, string>();
  const formatOfStyle: number[] = [];
  let inCellFormats = false;
  if (part !== undefined) {
    await archive.readXml(part, {
      open: (name, attributes) => {
        if (name === 'numFmt') codes.set(Number(attributes['numFmtId']), attributes['formatCode'] ?? '');
        if (name === 'cellXfs') inCellFormats = true;
        if (name === 'xf' && inCellFormats) formatOfStyle.push(Number(attributes['numFmtId'] ?? 0));
      },
      close: (name) => {
        if (name === 'cellXfs') inCellFormats = false;
      },
    });
  }
  return new CellFormats(codes, formatOfStyle, since1904);
}

async function readSheet(
  archive: OfficeArchive,
  { strings, formats }: Workbook,
  part: string,
  sheet: string,
  out: MarkdownText,
): Promise<void> {
  let named = false;
  let row: string[] = [];
  let cell: { column: number; type: string; style: number } | undefined;
  let value = '';
  let inValue = false;
  await archive.readXml(part, {
    open: (name, attributes) => {
      if (name === 'row') row = [];
      if (name === 'c') {
        const { r, t = 'n', s = '0' } = attributes;
        cell = { column: columnOf(r) ?? row.length, type: t, style: Number(s) };
        value = '';
      }
      if (name === 'v' || name === 't') inValue = true;
    },
    text: (text) => {
      if (inValue) value += text;
    },
    close: (name) => {
      if (name === 'v' || name === 't') inValue = false;
      if (name === 'c' && cell !== undefined) {
        while (row.length < cell.column) row.push('');
        row[cell.column] = cellText(value, cell.type, cell.style, strings, formats);
      }
      if (name !== 'row' || row.every((text) => text.trim() === '')) return;
      if (!named) out.heading(1, sheet);
      named = true;
      out.row(row);
    },
  });
}

/** Columns of a sheet, by the format itself. */
const MAX_COLUMNS = 16_384;

/** 0 for `A7`, 27 for `AB7`; undefined without a reference, which means the next column. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,3}(?=\d)/.exec(reference ?? '')?.[0];
  if (letters === undefined) return undefined;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return Math.min(column, MAX_COLUMNS) - 1;
}
