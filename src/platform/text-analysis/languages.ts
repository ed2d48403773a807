import type { Language } from '../../kernel/languages.js';

export interface Morphology {
  readonly stem: (word: string) => string;
  readonly stopWords: ReadonlySet<string>;
  /** Articles and pronouns that are written as one with the next word: the `l'` of `l'école`. */
  readonly elision: RegExp | undefined;
}

const ELISIONS: Partial<Record<Language, RegExp>> = {
  french: /^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'/,
  irish: /^[bdm]'/,
  italian: /^(?:[cdlmnstv]|un|gl|all|coll|dall|dell|nell|pell|sull|agl|dagl|degl|negl|sugl|quest|quell)'/,
};

const LATIN = /\p{sc=Latin}/u;
const BEYOND_ASCII = /[^\x00-\x7f]/;

/** Stop words that the lists lack. */
const FORGOTTEN: Partial<Record<Language, readonly string[]>> = { english: ['a'] };

/** Accents of Latin letters do not tell words apart: people leave them out when they ask. */
export function withoutAccents(word: string): string {
  if (!BEYOND_ASCII.test(word) || !LATIN.test(word)) return word;
  return word.normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC');
}

const loaded = new Map<Language, Promise<Morphology>>();

/** Loaded once per process, when first needed. */
export function morphologyOf(language: Language): Promise<Morphology> {
  const morphology = loaded.get(language) ?? load(language);
  loaded.set(language, morphology);
  return morphology;
}

async function load(language: Language): Promise<Morphology> {
  const [{ stemmer }, { stopwords }] = await Promise.all([
    import(`@orama/stemmers/${language}`) as Promise<{ stemmer: (word: string) => string }>,
    import(`@orama/stopwords/${language}`) as Promise<{ stopwords: readonly string[] }>,
  ]);
  const stem = language === 'english' ? english(stemmer) : stemmer;
  return { stem, stopWords: new Set([...stopwords, ...(FORGOTTEN[language] ?? [])]), elision: ELISIONS[language] };
}

/** Nouns in -sion and -tion that lose their ending by the rules of Porter: what is before has two syllables or more. */
const NOUN = /^([^aeiou]?[^aeiouy]*[aeiouy][aeiou]*[^aeiou][^aeiouy]*[aeiouy].*(?:(?<!a)t|s))ions?$/;

/**
 * Without accents, which the rules of English do not know. The stemmer takes the last letter of the root with the
 * ending of `connection`, so that it would not be found by `connect`.
 */
function english(stemmer: (word: string) => string): (word: string) => string {
  return (word) => {
    const plain = withoutAccents(word);
    return NOUN.exec(plain)?.[1] ?? stemmer(plain);
  };
}
