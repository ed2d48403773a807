/** Real files of every format that is read, made by the libraries that others make theirs with. */
import {
  AlignmentType,
  Document,
  FootnoteReferenceRun,
  HeadingLevel,
  LevelFormat,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
} from 'docx';
import ExcelJS from 'exceljs';
import PDFDocument from 'pdfkit';
import PptxGen from 'pptxgenjs';

/** The module's types describe its CommonJS build, where the class is one level deeper. */
const Presentation = PptxGen as unknown as typeof PptxGen.default;

const OOXML = 'application/vnd.openxmlformats-officedocument';
export const TYPES = {
  html: 'text/html',
  xhtml: 'application/xhtml+xml',
  csv: 'text/csv',
  pdf: 'application/pdf',
  docx: `${OOXML}.wordprocessingml.document`,
  pptx: `${OOXML}.presentationml.presentation`,
  xlsx: `${OOXML}.spreadsheetml.sheet`,
} as const;

/** @param draw gets the first page; text is set in 12 points of Helvetica. */
export function pdf(
  draw: (document: PDFKit.PDFDocument) => void,
  options: PDFKit.PDFDocumentOptions = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const document = new PDFDocument(options);
    const chunks: Buffer[] = [];
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
    document.fontSize(12);
    draw(document);
    document.end();
  });
}

export type Content =
  | { readonly heading: string; readonly level?: 1 | 2 | 3 | 'title' }
  | { readonly text: string }
  | { readonly runs: readonly string[] }
  | { readonly bullet: string; readonly depth?: number }
  | { readonly step: string }
  | { readonly note: string; readonly of: string }
  | { readonly table: readonly (readonly string[])[] };

const LEVELS = {
  1: HeadingLevel.HEADING_1,
  2: HeadingLevel.HEADING_2,
  3: HeadingLevel.HEADING_3,
  title: HeadingLevel.TITLE,
};

export function docx(...contents: readonly Content[]): Promise<Buffer> {
  const notes = contents.flatMap((content) => ('note' in content ? [content.note] : []));
  const document = new Document({
    numbering: {
      config: [
        {
          reference: 'steps',
          levels: [{ level: 0, format: LevelFormat.DECIMAL, text: '%1.', alignment: AlignmentType.START }],
        },
      ],
    },
    footnotes: Object.fromEntries(
      notes.map((note, index) => [index + 1, { children: [new Paragraph({ text: note })] }] as const),
    ),
    sections: [{ children: contents.map((content) => block(content, notes)) }],
  });
  return Packer.toBuffer(document);
}

function block(content: Content, notes: readonly string[]): Paragraph | Table {
  if ('heading' in content) return new Paragraph({ text: content.heading, heading: LEVELS[content.level ?? 1] });
  if ('runs' in content) return new Paragraph({ children: content.runs.map((text) => new TextRun(text)) });
  if ('bullet' in content) return new Paragraph({ text: content.bullet, bullet: { level: content.depth ?? 0 } });
  if ('step' in content) return new Paragraph({ text: content.step, numbering: { reference: 'steps', level: 0 } });
  if ('note' in content) {
    const mark = new FootnoteReferenceRun(notes.indexOf(content.note) + 1);
    return new Paragraph({ children: [new TextRun(content.of), mark] });
  }
  if ('text' in content) return new Paragraph({ text: content.text });
  const rows = content.table.map(
    (cells) => new TableRow({ children: cells.map((text) => new TableCell({ children: [new Paragraph({ text })] })) }),
  );
  return new Table({ rows });
}

export interface Slide {
  readonly title?: string;
  readonly texts?: readonly string[];
  readonly bullets?: readonly string[];
  readonly table?: readonly (readonly string[])[];
  readonly notes?: string;
}

export async function pptx(...slides: readonly Slide[]): Promise<Buffer> {
  const show = new Presentation();
  show.defineSlideMaster({
    title: 'MASTER',
    objects: [{ placeholder: { options: { name: 'title', type: 'title', x: 1, y: 0, w: 8, h: 1 }, text: '' } }],
    slideNumber: { x: 9, y: 5 },
  });
  for (const { title, texts = [], bullets, table, notes } of slides) {
    const slide = show.addSlide({ masterName: 'MASTER' });
    if (title !== undefined) slide.addText(title, { placeholder: 'title' });
    for (const text of texts) slide.addText(text, { x: 1, y: 1, w: 8, h: 1 });
    if (bullets !== undefined) {
      const items = bullets.map((text) => ({ text, options: { bullet: true, breakLine: true } }));
      slide.addText(items, { x: 1, y: 2, w: 8, h: 2 });
    }
    if (table !== undefined) {
      slide.addTable(
        table.map((row) => row.map((text) => ({ text }))),
        { x: 1, y: 3, w: 8 },
      );
    }
    if (notes !== undefined) slide.addNotes(notes);
  }
  return (await show.write({ outputType: 'nodebuffer' })) as Buffer;
}

/** @param fill gets an empty workbook. */
export async function xlsx(fill: (workbook: ExcelJS.Workbook) => void): Promise<Buffer> {
  const workbook = new ExcelJS.Workbook();
  fill(workbook);
  return Buffer.from(await workbook.xlsx.writeBuffer());
}

/**
 * A PDF of one page as other programs write text that Helvetica has not: with a font that is named and not embedded.
 *
 * @param font entries of a composite font. @param codes hexadecimal, line by line. @param toUnicode text of each code.
 */
export function pdfWithFont(
  font: string,
  codes: readonly string[],
  toUnicode?: Readonly<Record<string, string>>,
): Buffer {
  const content = `BT /F1 14 Tf 72 700 Td ${codes.map((code) => `<${code}> Tj 0 -20 Td`).join(' ')} ET`;
  const map = Object.entries(toUnicode ?? {}).map(([code, text]) => `<${code}> <${utf16Hex(text)}>`);
  const cmap = `/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def
1 begincodespacerange <0000> <FFFF> endcodespacerange
${map.length} beginbfchar ${map.join('\n')} endbfchar endcmap end end`;
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    `<< /Type /Font /Subtype /Type0 /DescendantFonts [6 0 R] ${toUnicode === undefined ? '' : '/ToUnicode 8 0 R'} ${font} >>`,
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 7 0 R /DW 1000
 /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>`,
    `<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800
 /Descent -200 /CapHeight 700 /StemV 80 >>`,
    `<< /Length ${cmap.length} >>\nstream\n${cmap}\nendstream`,
  ]);
}

function pdfOf(objects: readonly string[]): Buffer {
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const xref = file.length;
  const size = objects.length + 1;
  file += `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join('')}`;
  return Buffer.from(`${file}trailer << /Size ${size} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`, 'latin1');
}

export function utf16Hex(text: string): string {
  return Buffer.from(text, 'utf16le').swap16().toString('hex').toUpperCase();
}
