import type { BreakerPolicy } from '../../kernel/circuit-breaker.js';
import type { RetryPolicy } from '../../kernel/retry.js';
import { defineSettings, int, oneOf, secret, text, url } from '../../kernel/settings.js';
import type { SettingsOf } from '../../kernel/settings.js';

const fields = {
  llmProvider: oneOf(['vertex', 'openai', 'fake', 'extractive'], {
    env: 'LLM_PROVIDER',
    default: undefined,
    doc: 'Who writes the answers. Unset: vertex when it is configured, else openai when it is, else extractive, which quotes the documents and needs no credentials. fake is for tests.',
  }),
  embeddingProvider: oneOf(['fake', 'openai', 'vertex'], {
    env: 'EMBEDDING_PROVIDER',
    default: 'fake',
    doc: 'Who turns text into vectors. fake compares words only, offline. A change makes existing corpora need a reindex.',
  }),
  llmRegion: text({
    env: 'LLM_REGION',
    default: undefined,
    doc: 'Region in which the chat model runs, for RESIDENCY_EGRESS_MODE. Unset: GOOGLE_CLOUD_LOCATION for vertex; otherwise unknown, which counts as outside for models that are called over the network.',
  }),
  embeddingRegion: text({
    env: 'EMBEDDING_REGION',
    default: undefined,
    doc: 'The same for the embedding model.',
  }),
  fakeResponse: text({
    env: 'FAKE_LLM_RESPONSE',
    default: 'This is a fake reply.',
    doc: 'What the fake model answers.',
  }),
  fakeDelayMs: int({
    env: 'FAKE_LLM_DELAY_MS',
    default: 0,
    min: 0,
    max: 60_000,
    unit: 'ms',
    doc: 'Pause of the fake model before each further word, to try slow streams.',
  }),
  project: text({ env: 'GOOGLE_CLOUD_PROJECT', default: undefined, doc: 'Google Cloud project for Vertex AI.' }),
  location: text({
    env: 'GOOGLE_CLOUD_LOCATION',
    default: undefined,
    doc: 'Vertex AI location such as europe-west4 or global.',
  }),
  googleCredentials: text({
    env: 'GOOGLE_APPLICATION_CREDENTIALS',
    default: undefined,
    doc: 'Path of a Google credentials file. Unset: the credentials of the environment (metadata server, gcloud).',
  }),
  vertexBaseUrl: url(['http', 'https'], {
    env: 'VERTEX_BASE_URL',
    default: undefined,
    doc: 'Private endpoint or proxy in front of Vertex AI. Unset: the public endpoint of the location.',
  }),
  geminiModel: text({ env: 'GEMINI_MODEL', default: undefined, doc: 'Gemini model such as gemini-2.0-flash-001.' }),
  vertexEmbeddingModel: text({
    env: 'VERTEX_EMBEDDING_MODEL',
    default: 'text-embedding-004',
    doc: 'Vertex AI embedding model. It must be able to return 768 dimensions.',
  }),
  vertexStreamTimeoutSeconds: int({
    env: 'VERTEX_STREAM_TIMEOUT_S',
    default: 90,
    min: 1,
    max: 3600,
    unit: 's',
    doc: 'Limit of one answer from Vertex AI, from the call to the last token.',
  }),
  openaiBaseUrl: url(['http', 'https'], {
    env: 'OPENAI_BASE_URL',
    default: undefined,
    doc: 'Base URL of an OpenAI-compatible server, with its version path. Unset: https://api.openai.com/v1.',
  }),
  openaiApiKey: secret({ env: 'OPENAI_API_KEY', doc: 'Key for OPENAI_BASE_URL. Optional for servers of your own.' }),
  openaiModel: text({ env: 'OPENAI_MODEL', default: 'gpt-4o-mini', doc: 'Chat model.' }),
  openaiEmbeddingModel: text({
    env: 'OPENAI_EMBEDDING_MODEL',
    default: 'text-embedding-3-small',
    doc: 'Embedding model. It must be able to return 768 dimensions.',
  }),
  openaiStreamTimeoutSeconds: int({
    env: 'OPENAI_STREAM_TIMEOUT_S',
    default: 90,
    min: 1,
    max: 3600,
    unit: 's',
    doc: 'Limit of one answer from the OpenAI-compatible server, from the call to the last token.',
  }),
  firstTokenTimeoutMs: int({
    env: 'LLM_FIRST_TOKEN_TIMEOUT_MS',
    default: 15_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    doc: 'Limit for the first token of one attempt. Raise it for models that think before they speak.',
  }),
  idleTimeoutMs: int({
    env: 'LLM_IDLE_TIMEOUT_MS',
    default: 30_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    doc: 'Longest silence between two tokens.',
  }),
  embeddingTimeoutMs: int({
    env: 'EMBEDDING_TIMEOUT_MS',
    default: 30_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    doc: 'Limit of one attempt to embed a batch of document chunks. Queries use EXT_CALL_TIMEOUT_MS.',
  }),
  rerankerProvider: oneOf(['none', 'http'], {
    env: 'RERANKER_PROVIDER',
    default: 'none',
    doc: 'Who puts what was found in order of relevance. http is any server with the rerank API of Cohere, Jina or vLLM. none: nobody, the order of retrieval stays.',
  }),
  rerankerUrl: url(['http', 'https'], {
    env: 'RERANKER_URL',
    default: undefined,
    doc: 'Address of the rerank API with its whole path, such as https://api.jina.ai/v1/rerank.',
  }),
  rerankerApiKey: secret({ env: 'RERANKER_API_KEY', doc: 'Key for RERANKER_URL. Optional for servers of your own.' }),
  rerankerModel: text({
    env: 'RERANKER_MODEL',
    default: undefined,
    doc: 'Reranking model. Unset: the only one of the server.',
  }),
  rerankerRegion: text({
    env: 'RERANKER_REGION',
    default: undefined,
    doc: 'Region in which the reranking model runs, for RESIDENCY_EGRESS_MODE. Unset: unknown, which counts as outside.',
  }),
  callTimeoutMs: int({
    env: 'EXT_CALL_TIMEOUT_MS',
    default: 8000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    doc: 'Limit of one attempt of a call to an external service.',
  }),
  retryAttempts: int({
    env: 'EXT_RETRY_MAX_ATTEMPTS',
    default: 2,
    min: 1,
    max: 10,
    doc: 'Attempts in total, after timeouts, network faults, 429 and 5xx. A started answer is never repeated.',
  }),
  retryBackoffMs: int({
    env: 'EXT_RETRY_BACKOFF_MS',
    default: 200,
    min: 0,
    max: 60_000,
    unit: 'ms',
    doc: 'Wait before the second attempt; doubles with each further one and varies by half.',
  }),
  breakerFailureThreshold: int({
    env: 'CB_FAILURE_THRESHOLD',
    default: 5,
    min: 1,
    max: 1000,
    doc: 'Failures in a row after which an external service is not called for a while.',
  }),
  breakerOpenSeconds: int({
    env: 'CB_OPEN_SECONDS',
    default: 30,
    min: 1,
    max: 3600,
    unit: 's',
    doc: 'How long that while is, before trial calls are made.',
  }),
  breakerHalfOpenTrials: int({
    env: 'CB_HALF_OPEN_TRIALS',
    default: 2,
    min: 1,
    max: 100,
    doc: 'Trial calls that may be under way at once.',
  }),
};

export const modelSettings = defineSettings('models', 'Language and embedding models', fields, [
  ({ rerankerProvider, rerankerUrl }) =>
    rerankerProvider === 'http' && rerankerUrl === undefined
      ? 'RERANKER_URL is required when RERANKER_PROVIDER is http.'
      : undefined,
]);

export type ModelSettings = SettingsOf<typeof modelSettings>;

export type ChatProvider = 'vertex' | 'openai' | 'fake' | 'extractive';

/** The provider in force: the chosen one, else the first one that is configured, else `extractive`. */
export function resolveChatProvider(settings: ModelSettings): ChatProvider {
  if (settings.llmProvider !== undefined) return settings.llmProvider;
  if (missingVertexChatSettings(settings).length === 0) return 'vertex';
  if (settings.openaiApiKey !== undefined || settings.openaiBaseUrl !== undefined) return 'openai';
  return 'extractive';
}

/** Environment names that Vertex AI needs and that are unset. */
export function missingVertexSettings(settings: ModelSettings): string[] {
  return [
    ...(settings.project === undefined ? ['GOOGLE_CLOUD_PROJECT'] : []),
    ...(settings.location === undefined ? ['GOOGLE_CLOUD_LOCATION'] : []),
  ];
}

/** The same for answers by Gemini. */
export function missingVertexChatSettings(settings: ModelSettings): string[] {
  return [...missingVertexSettings(settings), ...(settings.geminiModel === undefined ? ['GEMINI_MODEL'] : [])];
}

/** Environment names that an OpenAI-compatible server needs and that are unset; one of your own needs no key. */
export function missingOpenAiSettings(settings: ModelSettings): string[] {
  return settings.openaiBaseUrl === undefined && settings.openaiApiKey === undefined ? ['OPENAI_API_KEY'] : [];
}

export function breakerPolicy(settings: ModelSettings): BreakerPolicy {
  return {
    failureThreshold: settings.breakerFailureThreshold,
    openMs: settings.breakerOpenSeconds * 1000,
    halfOpenTrials: settings.breakerHalfOpenTrials,
  };
}

export function retryPolicy(settings: ModelSettings, timeoutMs: number): RetryPolicy {
  return { attempts: settings.retryAttempts, backoffMs: settings.retryBackoffMs, timeoutMs };
}
