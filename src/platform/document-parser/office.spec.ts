import { describe, expect, it } from '@jest/globals';
import { docx, pdf, pptx, TYPES, xlsx } from '../../../test/factories/files.js';
import { zip } from '../../../test/factories/zip.js';
import { parseFile } from '../../../test/harness/parser.js';

const MIB = 1024 * 1024;
const CORRUPT = { code: 'FILE_CORRUPT', message: expect.stringContaining('another type than declared') };

const relations = (...lines: string[]): string => `<Relationships>${lines.join('')}</Relationships>`;
const relation = (id: string, type: string, target: string): string =>
  `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${target}"/>`;
const main = (part: string): { name: string; content: string } => ({
  name: '_rels/.rels',
  content: relations(relation('r', 'officeDocument', part)),
});
const types = (main: string): { name: string; content: string } => ({
  name: '[Content_Types].xml',
  content: `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.${main}.main+xml"/></Types>`,
});

/** An archive with a text that packs well. */
const wordFile = (content: string | Buffer, odd = {}): Buffer =>
  zip([types('wordprocessingml.document'), main('word/document.xml'), { name: 'word/document.xml', content, ...odd }]);

function sheetFile(sheet: string, { styles = '', workbook = '' } = {}): Buffer {
  const book = `<workbook xmlns:r="r">${workbook}<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`;
  return zip([
    types('spreadsheetml.sheet'),
    main('xl/workbook.xml'),
    { name: 'xl/workbook.xml', content: book },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: relations(relation('r1', 'worksheet', '/xl/s.xml'), relation('r2', 'styles', 'styles.xml')),
    },
    { name: 'xl/s.xml', content: `<worksheet><sheetData>${sheet}</sheetData></worksheet>` },
    { name: 'xl/styles.xml', content: `<styleSheet>${styles}</styleSheet>` },
  ]);
}

describe('DOCX', () => {
  const read = (file: Buffer, env = {}): Promise<string> => parseFile(file, TYPES.docx, env);

  it('keeps headings, lists, tables and notes', async () => {
    const file = await docx(
      { heading: 'Penguins', level: 'title' },
      { heading: 'Food' },
      { text: 'They eat krill.' },
      { heading: 'Kinds of food', level: 3 },
      { bullet: 'krill' },
      { bullet: 'small', depth: 1 },
      { bullet: 'fish' },
      { text: '' },
      { step: 'dive' },
      { step: 'eat' },
      {
        table: [
          ['Food', 'Share'],
          ['Krill', '80 %'],
        ],
      },
      { note: 'Counted in winter.', of: 'Most of it is krill' },
      { runs: ['Split ', 'in ', 'runs'] },
    );
    expect(await read(file)).toBe(`# Penguins

# Food

They eat krill.

### Kinds of food

- krill
  - small
- fish

1. dive
2. eat

Food | Share
Krill | 80 %

Most of it is krill[1]

Split in runs

1. Counted in winter.`);
  });

  it('keeps every script', async () => {
    const texts = ['企鹅吃磷虾', 'البطريق يأكل الكريل', 'Пингвин ест криль', 'mixed 混合 مختلط смесь 🐧'];
    expect(await read(await docx(...texts.map((text) => ({ text }))))).toBe(texts.join('\n\n'));
  });

  // An archive of a few kilobytes that unpacks to gigabytes would take the memory of the worker with it.
  it.each<[string, () => Buffer, string, string]>([
    [
      'unpacks to more than allowed',
      () => wordFile(Buffer.alloc(201 * MIB, ' ')),
      'FILE_TOO_LARGE',
      'The file unpacks to more than one document may. Split it and send the parts.',
    ],
    [
      'unpacks to more than allowed and says that it does not',
      () => wordFile(Buffer.alloc(201 * MIB, ' '), { declaredBytes: 1000 }),
      'FILE_CORRUPT',
      'The file is not a readable Word document (DOCX): ',
    ],
    [
      'says that it unpacks to more than it does',
      () => wordFile('<w:document/>', { declaredBytes: 2 ** 31 }),
      'FILE_CORRUPT',
      'The file is not a readable',
    ],
    ['has an encrypted part', () => wordFile('x', { encrypted: true }), 'FILE_ENCRYPTED', 'protected by a password'],
    ['has no main part', () => zip([types('wordprocessingml.document')]), 'FILE_CORRUPT', 'not a readable'],
    ['has a main part that is no XML', () => wordFile('<w:document><w:body>'), 'FILE_CORRUPT', 'not a readable'],
  ])('that %s fails', async (_what, make, code, message) => {
    await expect(read(make())).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('without text has no text', async () => {
    await expect(read(await docx({ text: ' ' }))).rejects.toMatchObject({ code: 'FILE_WITHOUT_TEXT' });
  });
});

describe('PPTX', () => {
  const read = (file: Buffer): Promise<string> => parseFile(file, TYPES.pptx);

  it('is one page per slide, with titles, lists, tables and notes', async () => {
    const file = await pptx(
      {
        title: 'Penguins',
        texts: ['They eat krill.', '企鹅 بطريق Пингвин'],
        bullets: ['krill', 'fish'],
        notes: 'Smile.',
      },
      {},
      {
        title: 'Food',
        table: [
          ['Food', 'Share'],
          ['Krill & fish', '80 %'],
        ],
      },
    );
    expect(await read(file)).toBe(
      '# Penguins\n\nThey eat krill.\n\n企鹅 بطريق Пингвин\n\n- krill\n- fish\n\nSmile.' +
        '\n\n\f\n\n\f# Food\n\nFood | Share\nKrill & fish | 80 %',
    );
  });

  it('keeps the order of more than nine slides', async () => {
    const numbers = Array.from({ length: 12 }, (_, index) => `Slide number ${index + 1}`);
    const text = await read(await pptx(...numbers.map((title) => ({ title }))));
    expect(text.split('\f').map((page) => page.trim())).toEqual(numbers.map((title) => `# ${title}`));
  });

  it('without text has no text', async () => {
    await expect(read(await pptx({}, {}))).rejects.toMatchObject({ code: 'FILE_WITHOUT_TEXT' });
  });
});

describe('XLSX', () => {
  const read = (file: Buffer, env = {}): Promise<string> => parseFile(file, TYPES.xlsx, env);

  it('names each sheet with text and shows values as one reads them', async () => {
    const file = await xlsx((workbook) => {
      const sheet = workbook.addWorksheet('Catch');
      sheet.addRow(['Name', 'Day', 'Time', 'Weight', 'Fresh']);
      sheet.addRow(['Ada', new Date(Date.UTC(2024, 1, 29)), new Date(Date.UTC(2024, 1, 29, 14, 30)), 0.1 + 0.2, true]);
      sheet.addRow([{ richText: [{ text: 'rich ' }, { font: { bold: true }, text: 'text' }] }]);
      sheet.getCell('D3').value = { formula: 'D2*2', result: 0.6 };
      sheet.getCell('B5').value = { text: 'link', hyperlink: 'https://example.org' };
      sheet.getCell('D5').value = { error: '#DIV/0!' };
      sheet.getCell('E5').value = 'two\nlines';
      sheet.getCell('C2').numFmt = 'dd.mm.yyyy hh:mm';
      sheet.getCell('D2').numFmt = '#,##0.00 "days"';
      workbook.addWorksheet('Empty');
      workbook.addWorksheet('数据').addRow(['企鹅', 'بطريق', 'Пингвин', 12345678901]);
    });
    expect(await read(file)).toBe(`# Catch

Name | Day | Time | Weight | Fresh
Ada | 2024-02-29 | 2024-02-29 14:30:00 | 0.3 | TRUE
rich text |  |  | 0.6
 | link |  | #DIV/0! | two lines

# 数据

企鹅 | بطريق | Пингвин | 12345678901`);
  });

  it('reads cells without references and texts within cells', async () => {
    const sheet =
      '<row><c t="inlineStr"><is><t>a</t></is></c><c><v>1</v></c><c t="str"><f>x</f><v>b_x000D_c</v></c></row>';
    expect(await read(sheetFile(sheet))).toBe('# S\n\na | 1 | b c');
  });

  it.each([
    ['0', '<workbookPr date1904="1"/>', '45350.5', '2028-02-29 12:00:00'],
    ['0', '', '59', '1900-02-28'],
    ['0', '', '0.75', '18:00:00'],
    ['1', '', '45351', '45351'],
  ])('style %s with %j shows %s as %s', async (style, workbook, number, shown) => {
    const styles =
      '<cellXfs><xf numFmtId="22"/><xf numFmtId="164"/></cellXfs><numFmts><numFmt numFmtId="164" formatCode="[Red]0 &quot;days&quot;"/></numFmts>';
    const file = sheetFile(`<row><c s="${style}"><v>${number}</v></c></row>`, { styles, workbook });
    expect(await read(file)).toBe(`# S\n\n${shown}`);
  });

  it('of a million cells is read within the limits', async () => {
    const cells = Array.from({ length: 100 }, (_, column) => `<c><v>${column}</v></c>`).join('');
    const text = await read(sheetFile(`<row>${cells}</row>`.repeat(10_000)));
    expect(text.split('\n')).toHaveLength(10_002);
    expect(text.endsWith(' | 98 | 99')).toBe(true);
  }, 150_000);

  it('that places cells far to the right is no larger than its text may be', async () => {
    const rows = '<row><c r="XFD1"><v>1</v></c></row>'.repeat(1000);
    await expect(read(sheetFile(rows))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });
});

describe('files of another type than declared', () => {
  it.each(['docx', 'pptx', 'xlsx'] as const)(
    'fail as %s',
    async (type) => {
      const others = {
        docx: await docx({ text: 'x' }),
        pptx: await pptx({ title: 'x' }),
        xlsx: await xlsx((workbook) => workbook.addWorksheet('x').addRow(['x'])),
        pdf: await pdf((page) => page.text('x')),
        text: Buffer.from('Penguins eat krill.'),
        archive: zip([{ name: 'x', content: 'x' }]),
        /** How Word and Excel stored files in the nineties. */
        old: Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]),
      };
      for (const [name, file] of Object.entries(others)) {
        if (name === type) continue;
        await expect(parseFile(file, TYPES[type])).rejects.toMatchObject(CORRUPT);
      }
      const half = others[type].subarray(0, others[type].length / 2);
      await expect(parseFile(half, TYPES[type])).rejects.toMatchObject(CORRUPT);
    },
    60_000,
  );

  it('with a password are told apart from files of the nineties', async () => {
    const stream = Buffer.from('EncryptedPackage', 'utf16le');
    const file = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600), stream]);
    for (const type of [TYPES.docx, TYPES.pptx, TYPES.xlsx]) {
      await expect(parseFile(file, type)).rejects.toMatchObject({ code: 'FILE_ENCRYPTED' });
    }
  });
});
