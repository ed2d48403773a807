/** A word with its apostrophe, or a number with its decimals: `don't`, `2.0`. */
const WORD = /[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*(?:['’]\p{L}+|(?<=\p{N})[.,]\p{N}+)*/gu;
/** Scripts that put no spaces between words. Only they go through the dictionary, which is some thirty times slower. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const dictionary = new Intl.Segmenter('en', { granularity: 'word' });

/** Words that carry no topic; the ones with which questions are asked among them. */
const STOP_WORDS = new Set(
  `a about above after again all also am an and any anything are as at be because been before being below between
  both but by can could did do does doing done down during each either else every explain describe few find for
  from further get give given had has have having he her here hers him his how i if in into is it its itself just
  know let like list may me might mine more most much must my need no nor not of off on once only or other our ours
  out over own please same say says shall she should show so some something such tell than that the their theirs
  them then there these they thing things this those through to too under until up us very want was we were what
  when where whether which while who whom whose why will with would you your yours s t d ll m re ve`.split(/\s+/),
);

/**
 * Words of a text that carry meaning, in order, in a form that compares: compatibility characters folded, lower
 * case, plural and -ing/-ed endings of English words dropped. Works for scripts that put no spaces between words.
 */
export function contentTerms(text: string): string[] {
  const terms: string[] = [];
  for (const [run] of text.normalize('NFKC').toLowerCase().matchAll(WORD)) {
    const words = UNSPACED.test(run) ? [...dictionary.segment(run)].map(({ segment }) => segment) : [run];
    for (const word of words) {
      const bare = word.replace(/['’]s$/u, '');
      if (bare !== '' && !STOP_WORDS.has(bare)) terms.push(stem(bare));
    }
  }
  return terms;
}

/** Light on purpose: it only has to bring the forms of one word together, the result need not be a word. */
function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  const singular = word
    .replace(/ies$/, 'y')
    .replace(/(s|x|z|ch|sh)es$/, '$1')
    .replace(/([^su])s$/, '$1');
  const base = withoutEnding(singular, 'ing') ?? withoutEnding(singular, 'ed') ?? singular;
  return base.length > 3 ? base.replace(/e$/, '') : base;
}

function withoutEnding(word: string, ending: string): string | undefined {
  if (!word.endsWith(ending)) return undefined;
  const rest = word.slice(0, -ending.length);
  return rest.length >= 3 && /[aeiouy]/.test(rest) ? rest.replace(/([bdfgmnprt])\1$/, '$1') : undefined;
}
