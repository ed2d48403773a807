import { LONGEST_TITLE, type Block } from './text-blocks.js';

/** Titles of the headings above a place, the highest first. One array per heading, so that it tells sections apart. */
export type HeadingPath = readonly string[];

interface OpenHeading {
  readonly level: number;
  readonly startPoint: number;
}

/** The headings in force while a text is read from its start. */
export class Outline {
  #open: readonly OpenHeading[] = [];
  path: HeadingPath = [];

  /** Of the section that the reader is in; 0 above the first heading. */
  get level(): number {
    return this.#open.at(-1)?.level ?? 0;
  }

  /** Where the outermost section starts, in code points, that a heading of this level ends; undefined for none. */
  startOfEnded(level: number): number | undefined {
    return this.#open.find((heading) => heading.level >= level)?.startPoint;
  }

  enter({ level, title, startPoint }: Block): void {
    const kept = this.#open.filter((heading) => heading.level < level);
    this.#open = [...kept, { level, startPoint }];
    this.path = [...this.path.slice(0, kept.length), title];
  }
}

/** What two paths begin with. */
export function commonPath(a: HeadingPath, b: HeadingPath): HeadingPath {
  if (a === b) return a;
  const differs = a.findIndex((title, depth) => title !== b[depth]);
  return differs === -1 ? a : a.slice(0, differs);
}

/** Such as `Travel > Expenses`; above 300 code points the highest headings are left out. Null without headings. */
export function sectionOf(path: HeadingPath): string | null {
  const titles = path.filter((title) => title !== '');
  for (let from = 0; from < titles.length; from += 1) {
    const section = titles.slice(from).join(' > ');
    if (Array.from(section).length <= LONGEST_TITLE) return section;
  }
  return null;
}
