import { sha256Hex } from '../../../kernel/hash.js';
import { termWeight } from './bm25.js';

/**
 * Limits of Postgres and pgvector: positions of one lexeme, bytes of a vector of lexemes (1,048,575, with two for each
 * position), and entries of a sparse vector (16,000).
 */
const MOST_POSITIONS = 255;
const MOST_BYTES = 1_000_000;
const MOST_LEXEMES = 12_000;
/** Of a lexeme beside its text and its positions, at most: its prefix, and how many positions it has. */
const ENTRY_BYTES = 12;
/** Dimensions of the space of words; the most that a sparse vector may have. */
const DIMENSIONS = 1_000_000_000;

/**
 * Prefix of a corpus's lexemes. The index of words holds the passages of all tenants; with the prefix, a search reads
 * the entries of its own corpus only. Two corpora with the same prefix cost time, nothing else: the corpus is also a
 * condition of every search.
 */
export function lexemePrefix(tenantId: string, corpusId: string): string {
  return `${sha256Hex(`${tenantId}\0${corpusId}`).slice(0, 7)}:`;
}

/** The terms as a `tsquery` that any of them satisfies. Terms have neither quotes nor backslashes nor colons. */
export function anyLexeme(prefix: string, terms: readonly string[]): string {
  return terms.map((term) => `'${prefix}${term}'`).join(' | ');
}

/** How often each term occurs; of a text with more different ones than the database can hold, the first. */
export function countTerms(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) {
    if (counts.size < MOST_LEXEMES || counts.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  let bytes = 0;
  const fits = ([term, count]: [string, number]): boolean => {
    bytes += Buffer.byteLength(term) + ENTRY_BYTES + 2 * Math.min(count, MOST_POSITIONS);
    return bytes <= MOST_BYTES;
  };
  return new Map([...counts].filter(fits));
}

/** A passage's terms as a `tsvector` that has each as often as it occurs. */
export function lexemeVector(prefix: string, terms: ReadonlyMap<string, number>): string {
  return [...terms].map(([term, count]) => `'${prefix}${term}':${positions(count)}`).join(' ');
}

/** A passage's terms as a `sparsevec` of their weights. */
export function weightVector(terms: ReadonlyMap<string, number>): string {
  let length = 0;
  for (const count of terms.values()) length += count;
  return sparseVector([...terms].map(([term, count]) => [term, termWeight(count, length)]));
}

/** Numbers by term as a `sparsevec`. The inner product of two such vectors adds up the products term by term. */
export function sparseVector(numbers: Iterable<readonly [string, number]>): string {
  const entries = new Map<number, number>();
  for (const [term, number] of numbers) {
    const dimension = dimensionOf(term);
    entries.set(dimension, (entries.get(dimension) ?? 0) + number);
  }
  return `{${[...entries].map(([dimension, number]) => `${dimension}:${number}`).join(',')}}/${DIMENSIONS}`;
}

/** Words whose dimension a process remembers; hashing them again is a good part of the work of an ingestion. */
const REMEMBERED = 50_000;
const dimensions = new Map<string, number>();

/** From 1. Of 30,000 words, about half a pair share a dimension and count as one. */
function dimensionOf(term: string): number {
  let dimension = dimensions.get(term);
  if (dimension === undefined) {
    dimension = 1 + (Number.parseInt(sha256Hex(term).slice(0, 12), 16) % DIMENSIONS);
    if (dimensions.size >= REMEMBERED) dimensions.clear();
    dimensions.set(term, dimension);
  }
  return dimension;
}

const FIRST_POSITIONS = Array.from({ length: MOST_POSITIONS }, (_, at) => at + 1);

function positions(count: number): string {
  return FIRST_POSITIONS.slice(0, count).join(',');
}
