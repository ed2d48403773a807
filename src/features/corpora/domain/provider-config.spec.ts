import { describe, expect, it } from '@jest/globals';
import { effectiveTopK, normaliseProviderConfig, vectorDbIdOf } from './provider-config.js';
import { DEFAULT_SEARCH_PLAN } from './search-plan.js';

const bedrock = { provider: 'aws_bedrock_kb', knowledge_base_id: 'KB12345678', region: 'eu-central-1' };
const vertex = { provider: 'gcp_vertex', project: 'acme-prod', location: 'eu', resource_id: 'docs_1' };
const local = { provider: 'local_pgvector' };

const reasonFor = (input: unknown): string => {
  const result = normaliseProviderConfig(input);
  return result.ok ? 'accepted' : result.reason;
};

describe('normaliseProviderConfig', () => {
  it('reads {} as local retrieval of five passages', () => {
    expect(normaliseProviderConfig({})).toEqual({
      ok: true,
      config: { provider: 'local_pgvector', topKDefault: 5, search: DEFAULT_SEARCH_PLAN },
      stored: { retrieval: { provider: 'local_pgvector', top_k_default: 5 } },
    });
  });

  it('completes each provider and keeps the keys beside retrieval', () => {
    expect(normaliseProviderConfig({ theme: { a: [1] }, retrieval: { ...bedrock, top_k_default: 7 } })).toEqual({
      ok: true,
      config: { provider: 'aws_bedrock_kb', topKDefault: 7, knowledgeBaseId: 'KB12345678', region: 'eu-central-1' },
      stored: { theme: { a: [1] }, retrieval: { ...bedrock, top_k_default: 7 } },
    });
    expect(normaliseProviderConfig({ retrieval: vertex })).toMatchObject({
      config: { provider: 'gcp_vertex', topKDefault: 5, project: 'acme-prod', location: 'eu', resourceId: 'docs_1' },
      stored: { retrieval: { ...vertex, top_k_default: 5 } },
    });
  });

  it('leaves what it stored unchanged when it reads it back', () => {
    const first = normaliseProviderConfig({ retrieval: vertex, other: null });
    expect(first.ok && normaliseProviderConfig(first.stored)).toEqual(first);
  });

  it('does not change its input', () => {
    const input = { retrieval: { ...local } };
    normaliseProviderConfig(input);
    expect(input).toEqual({ retrieval: local });
  });

  it.each([null, undefined, [], 'local_pgvector', 5, true])('refuses %j as a whole', (input) => {
    expect(reasonFor(input)).toBe('provider_config_json must be an object');
  });

  it.each([{ other: 1 }, { retrieval: null }, { retrieval: [] }, { retrieval: 'local_pgvector' }])(
    'refuses %j for its retrieval',
    (input) => {
      expect(reasonFor(input)).toBe('retrieval must be an object');
    },
  );

  it.each(['nope', '', null, undefined, 1])('refuses provider %j', (provider) => {
    expect(reasonFor({ retrieval: { provider } })).toBe(
      'retrieval.provider must be one of local_pgvector, aws_bedrock_kb, gcp_vertex',
    );
  });

  it.each(['5', true, false, null, 0, 21, -1, 2.5, NaN])('refuses top_k_default %p', (top_k_default) => {
    expect(reasonFor({ retrieval: { ...local, top_k_default } })).toBe(
      'retrieval.top_k_default must be a whole number from 1 to 20',
    );
  });

  it.each([1, 20])('accepts top_k_default %d', (top_k_default) => {
    expect(reasonFor({ retrieval: { ...local, top_k_default } })).toBe('accepted');
  });

  it.each([
    ['knowledge_base_id', bedrock],
    ['region', bedrock],
    ['project', vertex],
    ['location', vertex],
    ['resource_id', vertex],
  ])('requires %s as a sensible string', (key, retrieval) => {
    expect(reasonFor({ retrieval: { ...retrieval, [key]: undefined } })).toBe(
      `retrieval.${key} is required and must be a string`,
    );
    expect(reasonFor({ retrieval: { ...retrieval, [key]: true } })).toContain(`retrieval.${key} is required`);
    expect(reasonFor({ retrieval: { ...retrieval, [key]: '  ' } })).toContain(`retrieval.${key} must not be blank`);
    expect(reasonFor({ retrieval: { ...retrieval, [key]: 'a'.repeat(257) } })).toContain(`retrieval.${key} must be at`);
  });

  it.each(['eu-central-1', 'us-gov-west-1', 'ap-southeast-4', 'eusc-de-east-1'])('accepts the region %s', (region) => {
    expect(reasonFor({ retrieval: { ...bedrock, region } })).toBe('accepted');
  });

  it.each(['global', 'us', 'europe-west4', 'northamerica-northeast1'])('accepts the location %s', (location) => {
    expect(reasonFor({ retrieval: { ...vertex, location } })).toBe('accepted');
  });

  // Both become part of a host name: a free string would send the platform's credentials to a host of the tenant's choice.
  it.each(['evil.example/', 'eu-central-1.evil.example', 'EU-central-1', 'eu central', 'eu-central-1\n#', 'x@y'])(
    'refuses %j as region and as location',
    (place) => {
      expect(reasonFor({ retrieval: { ...bedrock, region: place } })).toContain('retrieval.region must be');
      expect(reasonFor({ retrieval: { ...vertex, location: place } })).toContain('retrieval.location must be');
    },
  );

  it.each(['a/b', '..', '../x', 'a?b', 'a b'])('refuses %j as a path segment', (segment) => {
    expect(reasonFor({ retrieval: { ...vertex, resource_id: segment } })).toContain(
      'retrieval.resource_id must be letters',
    );
    expect(reasonFor({ retrieval: { ...vertex, project: segment } })).toContain('retrieval.project must be letters');
  });

  it.each([local, bedrock, vertex])('knows the vector database that governs a corpus: $provider', (retrieval) => {
    const stored = { retrieval: { ...retrieval, vector_db_id: 7 } };
    const result = normaliseProviderConfig(stored);
    expect(result).toMatchObject({ ok: true, config: { vectorDbId: 7 }, stored });
    expect([vectorDbIdOf(stored), vectorDbIdOf({ retrieval }), vectorDbIdOf({})]).toEqual([7, undefined, undefined]);
    for (const vector_db_id of [0, -1, 1.5, '7', null, 2 ** 31]) {
      expect(reasonFor({ retrieval: { ...retrieval, vector_db_id } })).toBe(
        'retrieval.vector_db_id must be the id of a vector database, a positive whole number',
      );
    }
  });

  it('refuses unknown retrieval keys, also those of another provider', () => {
    expect(reasonFor({ retrieval: { ...local, endpoint: 'x' } })).toBe('retrieval.endpoint is not a known key');
    expect(reasonFor({ retrieval: { ...local, region: 'eu-central-1' } })).toBe('retrieval.region is not a known key');
  });
});

describe('effectiveTopK', () => {
  it.each([
    [undefined, 7, 20, 7],
    [0, 7, 20, 7],
    [3, 7, 20, 3],
    [50, 7, 20, 20],
    [undefined, 20, 10, 10],
    [-4, 7, 20, 1],
  ])('of %p with a corpus default of %d and a maximum of %d is %d', (requested, corpusDefault, max, expected) => {
    expect(effectiveTopK(requested, corpusDefault, max)).toBe(expected);
  });
});
