import type { RoundTrip } from '../../test/harness/round-trips.js';

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The statements of one search, as the product sends them: one after the other, except for the two legs. */
export interface SearchPlan {
  readonly before: readonly Statement[];
  readonly legs: readonly (readonly Statement[])[];
  readonly after: readonly Statement[];
}

const VECTOR_LEG = /\bchunk_embeddings\b/;
const WORDS_LEG = /\b(c\.terms|corpus_terms)\b/;
/** Who asks, and whether the corpus exists: no part of the search itself. */
const CONTROL = /\bFROM (api_keys|corpora)\b/;

/** What follows from the legs is told from what they follow from by its place. */
export function searchPlan(statements: readonly RoundTrip[]): SearchPlan {
  const searching = statements.filter(({ what }) => !CONTROL.test(what));
  const inLeg = ({ what }: RoundTrip): boolean => VECTOR_LEG.test(what) || WORDS_LEG.test(what);
  const firstInLeg = searching.findIndex(inLeg);
  const those = (belongs: (trip: RoundTrip, at: number) => boolean): Statement[] =>
    searching.filter(belongs).map(({ what, parameters }) => ({ text: what, values: parameters }));
  if (firstInLeg === -1) throw new Error('The search sent no statement of a leg that this benchmark knows.');
  return {
    before: those((trip, at) => !inLeg(trip) && at < firstInLeg),
    legs: [those(({ what }) => WORDS_LEG.test(what)), those(({ what }) => VECTOR_LEG.test(what))],
    after: those((trip, at) => !inLeg(trip) && at > firstInLeg),
  };
}
