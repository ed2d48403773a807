import { describe, expect, it } from '@jest/globals';
import { PLAN_FEATURES } from '../../../kernel/plan-features.js';
import { entitlementsOf, type FeatureRow } from './entitlement.js';

const row = (
  feature_key: string,
  enabled: boolean | null,
  config_json: FeatureRow['config_json'] = null,
): FeatureRow => ({
  feature_key,
  enabled,
  config_json,
});

describe('entitlementsOf', () => {
  const of = (plan: FeatureRow[], overrides: FeatureRow[]) => {
    const found = new Map(entitlementsOf(plan, overrides).map(({ feature, ...rest }) => [feature as string, rest]));
    return (key: string) => found.get(key);
  };

  it('names every feature once, sorted, and grants none by itself', () => {
    const all = entitlementsOf([], []);
    expect(all.map(({ feature }) => feature)).toEqual([...PLAN_FEATURES].sort());
    expect(all.some(({ enabled }) => enabled)).toBe(false);
  });

  it('04 §4 case 2: the override wins over the plan, and the plan over nothing', () => {
    const find = of([row('feature.retrieval.local_pgvector', true)], [row('feature.tts', true, { voices: ['nova'] })]);
    expect(find('feature.retrieval.local_pgvector')).toEqual({ enabled: true, config: null });
    expect(find('feature.tts')).toEqual({ enabled: true, config: { voices: ['nova'] } });
    expect(find('feature.identity.sso')).toEqual({ enabled: false, config: null });
  });

  it('takes from the plan what the override leaves open', () => {
    const plan = [row('feature.tts', true, { voices: ['echo'] })];
    expect(of(plan, [row('feature.tts', false)])('feature.tts')).toEqual({
      enabled: false,
      config: { voices: ['echo'] },
    });
    expect(of(plan, [row('feature.tts', null, { voices: [] })])('feature.tts')).toEqual({
      enabled: true,
      config: { voices: [] },
    });
  });

  // A row of a later release must not break an earlier one that runs beside it.
  it('leaves out features that it does not know', () => {
    expect(of([row('feature.tomorrow', true)], [])('feature.tomorrow')).toBeUndefined();
  });
});
