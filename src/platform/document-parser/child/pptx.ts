import { MarkdownText } from './markdown-text.js';
import { OfficeArchive, relationId, type XmlEvents } from './office-archive.js';
import type { ReaderInput } from './protocol.js';

const POWERPOINT =
  /presentationml\.(presentation|slideshow|template)\.main|ms-powerpoint\.(presentation|slideshow|template)\.macroEnabled/;

/** One page per slide, in the order of the show: the title as heading, texts and tables as placed, then the notes. */
export async function readPptx(input: ReaderInput): Promise<string> {
  const archive = await OfficeArchive.open(input, POWERPOINT);
  const text = new MarkdownText(input.maxTextChars);
  for (const [position, slide] of (await slidesOf(archive)).entries()) {
    if (position > 0) text.page();
    await archive.readXml(slide, new SlideText(text));
    const notes = [...(await archive.relationsOf(slide)).values()].find(({ type }) => type === 'notesSlide');
    if (notes !== undefined && archive.has(notes.part)) await archive.readXml(notes.part, new SlideText(text));
  }
  return text.toString();
}

async function slidesOf(archive: OfficeArchive): Promise<string[]> {
  const main = await archive.mainPart();
  const relations = await archive.relationsOf(main);
  const slides: string[] = [];
  await archive.readXml(main, {
    open: (name, attributes) => {
      const slide = name === 'sldId' ? relations.get(relationId(attributes)) : undefined;
      if (slide !== undefined) slides.push(slide.part);
    },
  });
  return slides;
}

/** Placeholders whose text belongs to the layout: the number of the slide, its date, its footer. */
const FURNITURE = ['sldNum', 'dt', 'ftr', 'hdr'];

/** Elements that stand for white space. */
const BREAKS: ReadonlyMap<string, string> = new Map([
  ['br', '\n'],
  ['tab', ' '],
]);

/** Writes the paragraphs of a slide or of its notes as they come. */
class SlideText implements XmlEvents {
  #placeholder: string | undefined;
  #inText = false;
  #paragraph = '';
  #marker: string | undefined;
  #depth = 0;
  #cells: string[] | undefined;
  #cell: string[] = [];
  /** Within what older programs show instead of what was just read. */
  #fallback = false;

  constructor(private readonly out: MarkdownText) {}

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'Fallback') this.#fallback = true;
    if (name === 'ph') this.#placeholder = attributes['type'] ?? 'obj';
    if (name === 'p') this.#begin();
    if (name === 'pPr') this.#depth = Number(attributes['lvl'] ?? 0) || 0;
    if (name === 'buChar' || name === 'buAutoNum') this.#marker = '-';
    if (name === 't') this.#inText = true;
    this.#paragraph += BREAKS.get(name) ?? '';
    if (name === 'tbl') this.out.separate();
    if (name === 'tr') this.#cells = [];
  }

  close(name: string): void {
    if (name === 'Fallback') this.#fallback = false;
    if (name === 't') this.#inText = false;
    if (name === 'p') this.#end();
    if (name === 'sp') this.#placeholder = undefined;
    if (name === 'tc') {
      this.#cells?.push(this.#cell.join(' '));
      this.#cell = [];
    }
    if (name === 'tr') {
      this.out.row(this.#cells ?? []);
      this.#cells = undefined;
    }
    if (name === 'tbl' || name === 'sp') this.out.separate();
  }

  text(text: string): void {
    if (this.#inText && !this.#fallback) this.#paragraph += text;
  }

  #begin(): void {
    this.#paragraph = '';
    this.#marker = undefined;
    this.#depth = 0;
  }

  #end(): void {
    const type = this.#placeholder ?? '';
    if (FURNITURE.includes(type)) return;
    if (this.#cells !== undefined) this.#cell.push(this.#paragraph);
    else if (type === 'title' || type === 'ctrTitle') this.out.heading(1, this.#paragraph);
    else if (type === 'subTitle') this.out.heading(2, this.#paragraph);
    else if (this.#marker !== undefined) this.out.item(this.#depth, this.#marker, this.#paragraph);
    else this.out.paragraph(this.#paragraph);
  }
}
