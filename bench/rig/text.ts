import { stopwords } from '@orama/stopwords/english';

const VOCABULARY = 30_000;
const CONSONANTS = ['b', 'c', 'd', 'f', 'g', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'st', 'tr', 'pl'];
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ea', 'ou'];
const SYLLABLES = CONSONANTS.flatMap((consonant) => VOWELS.map((vowel) => consonant + vowel));
const STOP_WORDS = new Set(stopwords);

/** mulberry32: the same numbers from the same seed, in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Text whose words are as unevenly frequent as those of a real language: the nth most frequent of 30,000 words comes
 * 1/n as often as the first. As in English, the most frequent ones are stop words.
 */
export class SyntheticText {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = random(seed);
  }

  between(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  /** Sentences of 8 to 20 words, of so many words in all. */
  passage(words: number): string {
    const sentences: string[] = [];
    for (let left = words; left > 0;) {
      const sentence = this.#words(Math.min(left, this.between(8, 20)));
      left -= sentence.length;
      sentences.push(`${sentence.join(' ')}.`);
    }
    return sentences.join(' ');
  }

  /** Three to eight words, at least two of which are no stop words. */
  question(): string {
    for (;;) {
      const words = this.#words(this.between(3, 8));
      if (words.filter((word) => !STOP_WORDS.has(word)).length >= 2) return words.join(' ');
    }
  }

  #words(count: number): string[] {
    return Array.from({ length: count }, () => WORDS[this.#rank()] ?? '');
  }

  /** From 0; finds the drawn share in the cumulative frequencies. */
  #rank(): number {
    const drawn = this.#random() * TOTAL;
    let [low, high] = [0, VOCABULARY - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((CUMULATIVE[middle] ?? 0) < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const WORDS = vocabulary();
const CUMULATIVE = cumulativeFrequencies();
const TOTAL = CUMULATIVE[VOCABULARY - 1] ?? 0;

function vocabulary(): string[] {
  const words = new Set(stopwords.filter((word) => /^[a-z]+$/.test(word)));
  const draw = random(1);
  const syllable = (): string => SYLLABLES[Math.floor(draw() * SYLLABLES.length)] ?? '';
  while (words.size < VOCABULARY) words.add(Array.from({ length: 2 + Math.floor(draw() * 3) }, syllable).join(''));
  return [...words];
}

function cumulativeFrequencies(): Float64Array {
  const sums = new Float64Array(VOCABULARY);
  let sum = 0;
  for (let rank = 0; rank < VOCABULARY; rank += 1) sums[rank] = sum += 1 / (rank + 1);
  return sums;
}
