import type { Language } from '../../kernel/languages.js';
import { morphologyOf, withoutAccents, type Morphology } from './languages.js';

/** A word with its apostrophe, or a number with its decimals: `don't`, `2.0`. */
const WORD = /[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*(?:['’]\p{L}+|(?<=\p{N})[.,]\p{N}+)*/gu;
const HAS_WORD = /[\p{L}\p{N}]/u;
/** Scripts without spaces between words and without a word of fixed length: pairs of characters stand for words. */
const PAIRED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u;
const PAIRED_RUNS = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー]+|[^\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー]+/gu;
/** Scripts without spaces between words, cut by dictionary. */
const UNSPACED = /[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const dictionary = new Intl.Segmenter('th', { granularity: 'word' });

/** Longer than any word; what is longer is cut, so that a blob of text does not fill an index. */
const LONGEST_TERM = 64;
/** What is left of a character that was cut in two. */
const HALF = /\p{Surrogate}$/u;

/** The language of a script's words, where the script tells; other scripts follow the language of the corpus. */
const BY_SCRIPT: readonly (readonly [RegExp, Language])[] = [
  [/\p{sc=Cyrillic}/u, 'russian'],
  [/\p{sc=Arabic}/u, 'arabic'],
  [/\p{sc=Greek}/u, 'greek'],
  [/\p{sc=Devanagari}/u, 'indian'],
  [/\p{sc=Armenian}/u, 'armenian'],
  [/\p{sc=Tamil}/u, 'tamil'],
];
/** Languages that are not the usual one of their script. */
const SCRIPT_OF: Partial<Record<Language, RegExp>> = {
  bulgarian: /\p{sc=Cyrillic}/u,
  serbian: /\p{sc=Cyrillic}/u,
  ukrainian: /\p{sc=Cyrillic}/u,
  nepali: /\p{sc=Devanagari}/u,
};
const BEYOND_ASCII = /[^\x00-\x7f]/;

interface Script {
  readonly pattern: RegExp;
  readonly morphology: Morphology;
}

/**
 * Cuts a text into the terms by which it is found: words, folded and stemmed, without stop words. Latin words follow
 * the rules of one language; the words of other scripts those of their script's language, so that a corpus may mix
 * them. Documents and questions must be analysed with the same language.
 */
export class Analyzer {
  readonly #stems = new Map<string, string>();

  private constructor(
    private readonly latin: Morphology,
    private readonly scripts: readonly Script[],
  ) {}

  static async for(language: Language): Promise<Analyzer> {
    const own = SCRIPT_OF[language];
    const scripts = await Promise.all(
      BY_SCRIPT.map(async ([pattern, usual]) => ({
        pattern,
        morphology: await morphologyOf(String(own) === String(pattern) ? language : usual),
      })),
    );
    const isLatin = own === undefined && !BY_SCRIPT.some(([, usual]) => usual === language);
    return new Analyzer(await morphologyOf(isLatin ? language : 'english'), scripts);
  }

  /** Whether there is anything to search for, stop words included. */
  static hasWord(text: string): boolean {
    return HAS_WORD.test(folded(text));
  }

  /** In the order of the text, repetitions included. */
  terms(text: string): string[] {
    const terms: string[] = [];
    for (const [run] of folded(text).matchAll(WORD)) {
      if (PAIRED.test(run)) this.#addPaired(terms, run);
      else if (UNSPACED.test(run)) this.#addUnspaced(terms, run);
      else this.#add(terms, run);
    }
    return terms;
  }

  #addPaired(terms: string[], run: string): void {
    for (const [part] of run.matchAll(PAIRED_RUNS)) {
      if (!PAIRED.test(part)) {
        this.#add(terms, part);
        continue;
      }
      const characters = Array.from(part);
      if (characters.length === 1) terms.push(part);
      for (let at = 1; at < characters.length; at += 1) terms.push(`${characters[at - 1]}${characters[at]}`);
    }
  }

  #addUnspaced(terms: string[], run: string): void {
    for (const { segment, isWordLike } of dictionary.segment(run)) {
      if (isWordLike === true) this.#add(terms, segment);
    }
  }

  #add(terms: string[], word: string): void {
    const { stem, stopWords, elision } = this.#morphologyOf(word);
    const apostrophe = word.replaceAll('’', "'");
    if (stopWords.has(apostrophe)) return;
    const whole = elision === undefined ? apostrophe : apostrophe.replace(elision, '');
    const bare = whole.replace(/'s$/, '').replaceAll("'", '').slice(0, LONGEST_TERM).replace(HALF, '');
    if (bare === '' || stopWords.has(bare)) return;
    let term = this.#stems.get(bare);
    if (term === undefined) {
      term = withoutAccents(stem(bare)) || bare;
      if (this.#stems.size >= REMEMBERED_STEMS) this.#stems.clear();
      this.#stems.set(bare, term);
    }
    terms.push(term);
  }

  #morphologyOf(word: string): Morphology {
    if (!BEYOND_ASCII.test(word)) return this.latin;
    return this.scripts.find(({ pattern }) => pattern.test(word))?.morphology ?? this.latin;
  }
}

/** Without the differences that are no difference in meaning: `Ⓑ`, `Ｂ` and `B` are all `b`. */
function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Words whose stem a process remembers; a few megabytes. */
const REMEMBERED_STEMS = 50_000;

const analyzers = new Map<Language, Promise<Analyzer>>();

/** One per language and process. */
export function analyzerFor(language: Language): Promise<Analyzer> {
  const analyzer = analyzers.get(language) ?? Analyzer.for(language);
  analyzers.set(language, analyzer);
  return analyzer;
}
