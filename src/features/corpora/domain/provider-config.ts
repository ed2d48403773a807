import { z } from 'zod';
import { LANGUAGES } from '../../../kernel/languages.js';
import type { PlanFeature } from '../../../kernel/plan-features.js';
import { DEFAULT_SEARCH_PLAN, FUSIONS, type SearchPlan } from './search-plan.js';

export const DEFAULT_TOP_K = 5;
/** Bounds of `top_k_default`; what a request asks for is clamped instead, see `effectiveTopK`. */
const TOP_K_DEFAULT_RANGE = { min: 1, max: 20 };
const MAX_TEXT_LENGTH = 256;
/** Of a column of the type `int`. */
const MAX_ID = 2 ** 31 - 1;

const required = z.string('is required and must be a string').trim().min(1, 'must not be blank');
const name = required.max(MAX_TEXT_LENGTH, `must be at most ${MAX_TEXT_LENGTH} characters`);
/** Becomes a segment of the provider's resource path, so nothing that could leave the segment. */
const pathSegment = name.regex(/^\w[\w.:-]*$/, 'must be letters, digits and . _ : - only');
/** Becomes part of the provider's host name. */
const awsRegion = name.regex(/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/, 'must be an AWS region such as eu-central-1');
const gcpLocation = name.regex(/^[a-z]+(-[a-z]+\d{1,2})?$/, 'must be a location such as global, eu or us-central1');

const topKMessage = `must be a whole number from ${TOP_K_DEFAULT_RANGE.min} to ${TOP_K_DEFAULT_RANGE.max}`;
const topKDefault = z
  .int(topKMessage)
  .min(TOP_K_DEFAULT_RANGE.min, topKMessage)
  .max(TOP_K_DEFAULT_RANGE.max, topKMessage)
  .default(DEFAULT_TOP_K);

const vectorDbMessage = 'must be the id of a vector database, a positive whole number';
const vectorDbId = z.int(vectorDbMessage).min(1, vectorDbMessage).max(MAX_ID, vectorDbMessage).exactOptional();

const weightMessage = 'must be a number from 0 to 1';
const weight = z.number(weightMessage).min(0, weightMessage).max(1, weightMessage);
const weights = z
  .strictObject({ bm25: weight, vector: weight }, 'must be an object with bm25 and vector')
  .refine(({ bm25, vector }) => bm25 + vector > 0, 'must not both be 0');

/** Keys as stored in `corpora.provider_config_json.retrieval`. */
const retrievalSchema = z.discriminatedUnion(
  'provider',
  [
    z.strictObject({
      provider: z.literal('local_pgvector'),
      top_k_default: topKDefault,
      vector_db_id: vectorDbId,
      language: z.enum(LANGUAGES, `must be one of ${LANGUAGES.join(', ')}`).exactOptional(),
      fusion: z.enum(FUSIONS, `must be one of ${FUSIONS.join(', ')}`).exactOptional(),
      weights: weights.exactOptional(),
      feedback: z.boolean('must be true or false').exactOptional(),
      rerank: z.boolean('must be true or false').exactOptional(),
    }),
    z.strictObject({
      provider: z.literal('aws_bedrock_kb'),
      top_k_default: topKDefault,
      vector_db_id: vectorDbId,
      knowledge_base_id: name,
      region: awsRegion,
    }),
    z.strictObject({
      provider: z.literal('gcp_vertex'),
      top_k_default: topKDefault,
      vector_db_id: vectorDbId,
      project: pathSegment,
      location: gcpLocation,
      resource_id: pathSegment,
    }),
  ],
  'must be one of local_pgvector, aws_bedrock_kb, gcp_vertex',
);

type StoredRetrieval = z.infer<typeof retrievalSchema>;

/** How a corpus retrieves. */
export type ProviderConfig = {
  readonly topKDefault: number;
  /** The vector database that governs the corpus; undefined for one that is not governed. */
  readonly vectorDbId?: number;
} & (
  | { readonly provider: 'local_pgvector'; readonly search: SearchPlan }
  | {
      readonly provider: 'aws_bedrock_kb';
      readonly knowledgeBaseId: string;
      readonly region: string;
    }
  | {
      readonly provider: 'gcp_vertex';
      readonly project: string;
      readonly location: string;
      readonly resourceId: string;
    }
);

export type ProviderName = ProviderConfig['provider'];

/** What a tenant's plan must include to retrieve from a provider. */
export const RETRIEVAL_FEATURES: Readonly<Record<ProviderName, PlanFeature>> = {
  local_pgvector: 'feature.retrieval.local_pgvector',
  aws_bedrock_kb: 'feature.retrieval.aws_bedrock',
  gcp_vertex: 'feature.retrieval.gcp_vertex',
};

/** Cloud region of the provider; null for local retrieval. */
export function providerRegion(config: ProviderConfig): string | null {
  switch (config.provider) {
    case 'local_pgvector':
      return null;
    case 'aws_bedrock_kb':
      return config.region;
    case 'gcp_vertex':
      return config.location;
  }
}

export type ProviderConfigResult =
  | {
      readonly ok: true;
      readonly config: ProviderConfig;
      /** What to store: the input with `retrieval` completed and every other key untouched. */
      readonly stored: Record<string, unknown>;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * Validates a corpus's `provider_config_json`, given by a caller or read back from the database. `{}` means local
 * retrieval. `reason` is public and names the offending key.
 */
export function normaliseProviderConfig(input: unknown): ProviderConfigResult {
  if (!isPlainObject(input)) return refuse('provider_config_json must be an object');
  const given = Object.keys(input).length === 0 ? { provider: 'local_pgvector' } : input['retrieval'];
  if (!isPlainObject(given)) return refuse('retrieval must be an object');
  const parsed = retrievalSchema.safeParse(given);
  if (!parsed.success) return refuse(describeFault(parsed.error));
  return { ok: true, config: toConfig(parsed.data), stored: { ...input, retrieval: parsed.data } };
}

/** The vector database that a stored config names, whether the rest of it is valid or not. */
export function vectorDbIdOf(stored: unknown): number | undefined {
  const retrieval = isPlainObject(stored) ? stored['retrieval'] : undefined;
  const id = isPlainObject(retrieval) ? retrieval['vector_db_id'] : undefined;
  return typeof id === 'number' ? id : undefined;
}

/**
 * Passages to ask the provider for.
 *
 * @param requested by the caller; absent or 0 leaves the choice to the corpus.
 * @param max what the platform allows, see RETRIEVAL_MAX_TOP_K.
 */
export function effectiveTopK(requested: number | undefined, corpusDefault: number, max: number): number {
  return Math.max(1, Math.min(requested || corpusDefault, max));
}

function toConfig(stored: StoredRetrieval): ProviderConfig {
  const { top_k_default: topKDefault, vector_db_id } = stored;
  const common = { topKDefault, ...(vector_db_id === undefined ? {} : { vectorDbId: vector_db_id }) };
  switch (stored.provider) {
    case 'local_pgvector':
      return { ...common, provider: stored.provider, search: toSearchPlan(stored) };
    case 'aws_bedrock_kb':
      return {
        ...common,
        provider: stored.provider,
        knowledgeBaseId: stored.knowledge_base_id,
        region: stored.region,
      };
    case 'gcp_vertex':
      return {
        ...common,
        provider: stored.provider,
        project: stored.project,
        location: stored.location,
        resourceId: stored.resource_id,
      };
  }
}

function toSearchPlan(stored: Extract<StoredRetrieval, { provider: 'local_pgvector' }>): SearchPlan {
  const { language, fusion, weights: given, feedback, rerank } = stored;
  return {
    language: language ?? DEFAULT_SEARCH_PLAN.language,
    fusion: fusion ?? DEFAULT_SEARCH_PLAN.fusion,
    feedback: feedback ?? DEFAULT_SEARCH_PLAN.feedback,
    rerank: rerank ?? DEFAULT_SEARCH_PLAN.rerank,
    ...(given === undefined ? {} : { weights: given }),
  };
}

function describeFault(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'retrieval is not valid';
  if (issue.code === 'unrecognized_keys')
    return `${['retrieval', ...issue.path, issue.keys[0]].join('.')} is not a known key`;
  return `${['retrieval', ...issue.path].join('.')} ${issue.message}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(reason: string): ProviderConfigResult {
  return { ok: false, reason };
}
