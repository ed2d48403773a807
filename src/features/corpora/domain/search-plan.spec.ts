import { describe, expect, it } from '@jest/globals';
import { LANGUAGES } from '../../../kernel/languages.js';
import { normaliseProviderConfig } from './provider-config.js';
import { DEFAULT_SEARCH_PLAN, type SearchPlan } from './search-plan.js';

const local = { provider: 'local_pgvector' };

function planOf(keys: object): SearchPlan {
  const result = normaliseProviderConfig({ retrieval: { ...local, ...keys } });
  if (!result.ok || result.config.provider !== 'local_pgvector') throw new Error('The config must be a local one.');
  return result.config.search;
}

const reasonFor = (keys: object): string => {
  const result = normaliseProviderConfig({ retrieval: { ...local, ...keys } });
  return result.ok ? 'accepted' : result.reason;
};

describe('how a corpus is searched', () => {
  it('has defaults, which are not stored, so that better ones reach old corpora', () => {
    expect(planOf({})).toEqual({ language: 'english', fusion: 'normalised_sum', feedback: false, rerank: false });
    expect(planOf({})).toEqual(DEFAULT_SEARCH_PLAN);
    const result = normaliseProviderConfig({});
    expect(result.ok && result.stored).toEqual({ retrieval: { ...local, top_k_default: 5 } });
  });

  it('is what the corpus says, which is stored as said', () => {
    const said = {
      language: 'german',
      fusion: 'rrf',
      weights: { bm25: 0.2, vector: 0.8 },
      feedback: true,
      rerank: true,
    } as const;
    expect(planOf(said)).toEqual(said);
    const result = normaliseProviderConfig({ retrieval: { ...local, ...said } });
    expect(result.ok && result.stored).toEqual({ retrieval: { ...local, top_k_default: 5, ...said } });
    expect(result.ok && normaliseProviderConfig(result.stored)).toEqual(result);
  });

  it.each([
    { bm25: 1, vector: 0 },
    { bm25: 0, vector: 1 },
    { bm25: 0.001, vector: 0.001 },
  ])('takes the weights %j', (weights) => {
    expect(planOf({ weights })).toEqual({ ...DEFAULT_SEARCH_PLAN, weights });
  });

  it.each([
    ['language', 'klingon', `retrieval.language must be one of ${LANGUAGES.join(', ')}`],
    ['language', null, 'retrieval.language must be one of'],
    ['fusion', 'sum', 'retrieval.fusion must be one of normalised_sum, rrf'],
    ['feedback', 'yes', 'retrieval.feedback must be true or false'],
    ['rerank', 1, 'retrieval.rerank must be true or false'],
    ['weights', null, 'retrieval.weights must be an object with bm25 and vector'],
    ['weights', [1, 1], 'retrieval.weights must be an object with bm25 and vector'],
    ['weights', { bm25: 1 }, 'retrieval.weights.vector must be a number from 0 to 1'],
    ['weights', { bm25: 1.01, vector: 0 }, 'retrieval.weights.bm25 must be a number from 0 to 1'],
    ['weights', { bm25: -0.1, vector: 1 }, 'retrieval.weights.bm25 must be a number from 0 to 1'],
    ['weights', { bm25: '1', vector: 1 }, 'retrieval.weights.bm25 must be a number from 0 to 1'],
    ['weights', { bm25: NaN, vector: 1 }, 'retrieval.weights.bm25 must be a number from 0 to 1'],
    ['weights', { bm25: 0, vector: 0 }, 'retrieval.weights must not both be 0'],
  ])('refuses %s: %j', (key, value, reason) => {
    expect(reasonFor({ [key]: value })).toContain(reason);
  });

  it('refuses an unknown leg, and keys of local search for another provider', () => {
    const unknown = { weights: { bm25: 1, vector: 1, graph: 1 } };
    expect(reasonFor(unknown)).toBe('retrieval.weights.graph is not a known key');
    const bedrock = { provider: 'aws_bedrock_kb', knowledge_base_id: 'KB12345678', region: 'eu-central-1' };
    expect(reasonFor({ ...bedrock, fusion: 'rrf' })).toBe('retrieval.fusion is not a known key');
  });
});
