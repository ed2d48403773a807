import type { Leg, LegPlace } from './fusion.js';

/** A retrieved text. The same for every provider; those outside the platform know no ids of ours. */
export interface Passage {
  readonly chunkId: string | null;
  readonly documentId: string | null;
  readonly source: string;
  readonly text: string;
  /** From 0 (nothing in common) to 1. */
  readonly score: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of the document, as policy bundles see them. */
  readonly labels: readonly string[];
  /** Whether a policy bundle took its text; a marker stands there instead. */
  readonly redacted: boolean;
  /** Place in the document, from 0. */
  readonly chunkIndex: number | null;
  /** Generation of the document that it was cut from. */
  readonly documentVersion: number | null;
  /** What each leg of a local search says of it. */
  readonly legs: Readonly<Record<Leg, LegPlace | null>>;
}

/** Similarity from a cosine distance; a distance that is not a number, as from an empty vector, is no similarity. */
export function scoreOf(cosineDistance: number): number {
  return Number.isNaN(cosineDistance) ? 0 : Math.min(1, Math.max(0, 1 - cosineDistance));
}
