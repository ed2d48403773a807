import { describe, expect, it } from '@jest/globals';
import type { RoundTrip } from '../../test/harness/round-trips.js';
import { searchPlan } from './plans.js';

const sent = (what: string): RoundTrip => ({
  to: 'database',
  requestId: 'r',
  inHandler: true,
  delivery: false,
  what,
  parameters: [what.length],
});

// A statement that the baseline leaves out would make the product look slow, one that it sends twice would flatter it.
describe('the plan of a search', () => {
  const corpus = sent('SELECT id FROM corpora WHERE tenant_id = $1');
  const index = sent('SELECT embedding_model FROM corpus_indexes');
  const holders = sent('SELECT term FROM corpus_terms');
  const vector = sent('SELECT e.chunk_id FROM chunk_embeddings e');
  const words = sent('SELECT c.id FROM searchable_chunks c WHERE c.terms @@ $1');
  const passages = sent('SELECT id, text FROM searchable_chunks WHERE id = ANY ($1)');

  it('has every statement once, but for those that only ask who may search what', () => {
    const plan = searchPlan([corpus, index, holders, vector, words, passages]);
    const texts = (statements: readonly { text: string }[]) => statements.map(({ text }) => text);
    expect(texts(plan.before)).toEqual([index.what]);
    expect(plan.legs.map(texts)).toEqual([[holders.what, words.what], [vector.what]]);
    expect(texts(plan.after)).toEqual([passages.what]);
  });

  it('keeps the parameters', () => {
    expect(searchPlan([index, vector]).before).toEqual([{ text: index.what, values: [index.what.length] }]);
  });
});
