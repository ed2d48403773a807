import { describe, expect, it } from '@jest/globals';
import { docx, pdf, pdfWithFont, TYPES, utf16Hex } from '../../../test/factories/files.js';
import { parseFile } from '../../../test/harness/parser.js';

const read = (file: Buffer, env = {}): Promise<string> => parseFile(file, TYPES.pdf, env);

const SENTENCES = 'Penguins eat krill and small fish. They hunt at sea, and they rest on the ice of the long winter. ';
const PARAGRAPH = SENTENCES.repeat(4).trim();
/** Of the package that reads PDFs. */
const LIBERATION = 'node_modules/pdfjs-dist/standard_fonts/LiberationSans-Regular.ttf';

describe('PDF', () => {
  it('joins lines to paragraphs, tells headings by their size and keeps lists and tables in lines', async () => {
    const file = await pdf((page) => {
      page.fontSize(26).text('Penguins').moveDown();
      page.fontSize(12).text(PARAGRAPH).moveDown();
      page.fontSize(18).text('What they eat').moveDown();
      page.fontSize(12).text(`${PARAGRAPH} Second.`).moveDown();
      page.text('• krill').text('• fish').moveDown();
      const y = page.y;
      page
        .text('Food', 72, y)
        .text('Share', 300, y)
        .text('Krill', 72, y + 16)
        .text('80 %', 300, y + 16);
    });
    expect(await read(file)).toBe(`# Penguins

${PARAGRAPH}

## What they eat

${PARAGRAPH} Second.

- krill
- fish

Food | Share
Krill | 80 %`);
  });

  it('separates pages by form feeds, empty pages included', async () => {
    const file = await pdf((page) => {
      page.addPage().text('Second').addPage().addPage().text('Fourth').addPage();
    });
    const text = await read(file);
    expect(text.split('\f').map((page) => page.trim())).toEqual(['', 'Second', '', 'Fourth', '']);
  });

  it('makes divided words whole', async () => {
    const file = await pdf((page) => {
      page.text('The emperor penguin is the tallest of all and the heaviest of the pen-');
      page.text('guins that live in the Antarctic, where it breeds on the ice.');
    });
    expect(await read(file)).toContain('heaviest of the penguins that live');
  });

  it('reads Cyrillic and Greek of an embedded font', async () => {
    const file = await pdf((page) => {
      page.font(LIBERATION).text('Пингвины едят криль.').moveDown().text('Οι πιγκουίνοι τρώνε κριλ.');
    });
    expect(await read(file)).toBe('Пингвины едят криль.\n\nΟι πιγκουίνοι τρώνε κριλ.');
  });

  it('reads Chinese of a font that is not embedded', async () => {
    const font = '/BaseFont /STSong-Light-UniGB-UCS2-H /Encoding /UniGB-UCS2-H';
    const file = pdfWithFont(font, [utf16Hex('企鹅吃磷虾'), utf16Hex('你好，世界')]);
    expect(await read(file)).toBe('企鹅吃磷虾\n你好，世界');
  });

  it('reads Arabic, whose letters stand in the file from left to right', async () => {
    const word = 'مرحبا';
    const letters = Object.fromEntries(Array.from(word, (letter, index) => [`000${index + 1}`, letter]));
    const codes = Object.keys(letters).reverse().join('');
    const file = pdfWithFont('/BaseFont /STSong-Light-Identity-H /Encoding /Identity-H', [codes], letters);
    expect(await read(file)).toBe(word);
  });

  it.each<[string, () => Promise<Buffer> | Buffer, string, string]>([
    [
      'with a password',
      () => pdf((page) => page.text('Secret'), { userPassword: 'krill', ownerPassword: 'fish' }),
      'FILE_ENCRYPTED',
      'The file is protected by a password. Remove the protection and send it again with overwrite.',
    ],
    [
      'without text, as of a scan',
      () => pdf((page) => page.rect(72, 72, 300, 300).fill('#888').addPage()),
      'FILE_WITHOUT_TEXT',
      'The file has no text. If it is a scan, run text recognition (OCR) on it and send the result.',
    ],
    [
      'that is cut off',
      async () => (await pdf((page) => page.text(PARAGRAPH))).subarray(0, -600),
      'FILE_CORRUPT',
      'The file is not a readable PDF: it is damaged, cut short, or of another type than declared.',
    ],
    ['that is text', () => Buffer.from('Penguins eat krill.'), 'FILE_CORRUPT', 'The file is not a readable PDF: '],
    ['that is a DOCX', () => docx({ text: 'Penguins' }), 'FILE_CORRUPT', 'The file is not a readable PDF: '],
    [
      'that has a head, an end and nothing else',
      () => Buffer.from('%PDF-1.7\nnothing\n%%EOF'),
      'FILE_CORRUPT',
      'The file is not a readable PDF: ',
    ],
  ])('%s fails with a reason', async (_what, make, code, message) => {
    await expect(read(await make())).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('that may be read with a password but needs none is read', async () => {
    const file = await pdf((page) => page.text('Open'), { ownerPassword: 'fish' });
    expect(await read(file)).toBe('Open');
  });

  // Memory that grows with the number of pages would let one large report end the worker.
  it('of 5,000 pages is read within the limits', async () => {
    const file = await pdf((page) => {
      page.text('Page 1');
      for (let number = 2; number <= 5000; number += 1) page.addPage().text(`Page ${number}`).text(SENTENCES);
    });
    const pages = (await read(file)).split('\f');
    expect(pages).toHaveLength(5000);
    expect(pages[4321]).toMatch(/^Page 4322\n/);
  }, 150_000);

  it('with more text than allowed is too large', async () => {
    const file = await pdf((page) => page.text(PARAGRAPH));
    await expect(read(file, { PARSER_MAX_TEXT_CHARS: '100' })).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });
});
